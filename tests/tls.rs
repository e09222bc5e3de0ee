//! The example `https`: TLS around the library, and what clients that are not of this project see of it.
//!
//! ```text
//! cargo test -p tests --test tls
//! ```
//!
//! Needs the Debian packages `curl`, `openssl`, `sslscan`, `libnss3-tools`, `chromium` and
//! `chromium-driver`; without one of them the tests that need it fail and say so.
//!
//! The parts: who is let in and who turns away (`handshakes`), those who never finish one (`halves`);
//! messages, large and many (`messages`); ends and cuts (`endings`); what somebody on the way can do
//! (`on_the_way`); what a site adds to TLS, to curl and to a browser (`site`); a scanner (`scan`); and the
//! example's own page (`page`).
#![allow(clippy::unwrap_used, reason = "clippy takes only functions marked as tests for tests")]
#![cfg(unix)]

#[path = "tls/clients.rs"]
mod clients;
#[path = "tls/endings.rs"]
mod endings;
#[path = "tls/halves.rs"]
mod halves;
#[path = "tls/handshakes.rs"]
mod handshakes;
#[path = "tls/messages.rs"]
mod messages;
#[path = "tls/on_the_way.rs"]
mod on_the_way;
#[path = "tls/page.rs"]
mod page;
#[path = "tls/road.rs"]
mod road;
#[path = "tls/scan.rs"]
mod scan;
#[path = "tls/server.rs"]
mod server;
#[path = "tls/site.rs"]
mod site;
