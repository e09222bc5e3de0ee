//! What goes wrong around a server: peers that break off at each byte, segments that come apart, a
//! process that is stopped, clocks that jump, a system that has no more to give.
//!
//! Of each it is asked that nothing panics, hangs or is left behind, that what was answered is true,
//! and that the next client is served as if nothing had been. Nothing waits a while.
#![allow(clippy::unwrap_used, reason = "clippy takes only functions marked as tests for tests")]

#[path = "faults/conversation.rs"]
mod conversation;
#[path = "faults/breaking.rs"]
mod breaking;
#[path = "faults/clocks.rs"]
mod clocks;
#[path = "faults/segments.rs"]
mod segments;
#[cfg(target_os = "linux")]
#[path = "faults/cutting.rs"]
mod cutting;
#[cfg(target_os = "linux")]
#[path = "faults/stopping.rs"]
mod stopping;
#[cfg(target_os = "linux")]
#[path = "faults/shortages.rs"]
mod shortages;
