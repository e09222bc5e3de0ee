//! Shared by the suites.

#[path = "harness/golden.rs"]
pub mod golden;
#[path = "harness/random.rs"]
pub mod random;
