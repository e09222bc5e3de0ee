//! Shared by the suites.

#[path = "harness/golden.rs"]
pub mod golden;
#[path = "harness/random.rs"]
pub mod random;
#[cfg(unix)]
#[path = "harness/redis.rs"]
pub mod redis;
#[path = "harness/answer.rs"]
pub mod answer;
#[path = "harness/client.rs"]
pub mod client;
#[path = "harness/running.rs"]
pub mod running;
#[path = "harness/talk.rs"]
pub mod talk;
#[path = "harness/program.rs"]
pub mod program;
#[cfg(target_os = "linux")]
#[path = "harness/figures.rs"]
pub mod figures;
#[path = "harness/latch.rs"]
pub mod latch;
#[path = "harness/watched.rs"]
pub mod watched;
#[path = "harness/lessons/mod.rs"]
pub mod lessons;
#[path = "harness/json.rs"]
pub mod json;
#[path = "harness/relay.rs"]
pub mod relay;
#[path = "harness/browser/mod.rs"]
pub mod browser;
#[path = "harness/grammar.rs"]
pub mod grammar;
#[path = "harness/laws/mod.rs"]
pub mod laws;
