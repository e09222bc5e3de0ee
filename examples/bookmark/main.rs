//! Short names for long URIs: a page with a form, and a redirect for each name that was saved.
//!
//! ```text
//! cargo run --example bookmark
//! open http://127.0.0.1:8000/ in a browser, or:
//! curl -i -d longuri=http://127.0.0.1:8000/ -d shortname=home http://127.0.0.1:8000/
//! curl -i http://127.0.0.1:8000/home
//! ```
//!
//! A URI is saved after it has answered. So this server may be asked, while it serves a request, to
//! fetch a page of its own: with one thread it would wait for itself, and with one for each
//! connection it does not.
//!
//! Settings enter from the environment (`--help` lists them); a server leaves that runs until
//! SIGTERM or SIGINT. The files in reading order: what may be stored (`rules`), whom a check may
//! reach and how it is made (`address`, `check`), where bookmarks are kept (`line`, `log`, `store`),
//! what visitors read (`page`), which request gets what (`app`).

// Removed as soon as the pages and imports use all of the stores.
#![allow(dead_code)]

mod rules;
mod time;
mod store;
mod visits;
mod address;
mod check;
mod page;
mod app;

use std::env;
use std::ffi::OsString;
use std::process::{ExitCode, exit};

use longhand::{Limits, Request};
use longhand_kit::cross_origin::Guard;
use longhand_kit::origin::Origin;

use crate::app::App;
use crate::check::{Checker, Private};
use crate::store::file::File;
use crate::store::memory::Memory;
use crate::store::redis::Redis;
use crate::store::{Store, StoreError};

const HELP: &str = "\
bookmark: short names for long URIs

It prints the address to open. Settings come from the environment:

  PORT           the port, default 8000; 0 takes a free one
  HOST           the address to listen on, default 127.0.0.1;
                 all interfaces where PORT is set and HOST is not
  STORE          the file that keeps the bookmarks, default bookmarks.log in the
                 current folder; `memory` keeps them until the program ends;
                 redis://[user:password@]host[:port][/database], for several machines
  CHECK_PRIVATE  what a check may reach beside the public internet: `own` (default)
                 this server itself, `allow` everything, `deny` nothing
  BASE_URL       where visitors find this server if that is not where it listens:
                 https://go.example.org behind a proxy
  IDLE_MS        how long a connection may rest between two requests, default 75000
  LAME_DUCK_MS   how long it goes on after SIGTERM or SIGINT while /.healthz already
                 says no, default 0
  DRAIN_MS       how long requests have to finish then, default 10000
";

/// Bytes of a form: a URI and a name of the longest that `rules.rs` takes, each byte as `%xx`, fit
/// several times.
const FORM: u64 = 64 << 10;

fn main() -> ExitCode {
    if let Some(argument) = env::args_os().nth(1) {
        return read(&argument);
    }
    let private = setup::setting("CHECK_PRIVATE", Private::Own, "`own`, `allow` or `deny`");
    let base: Option<Origin> =
        setup::optional("BASE_URL", "http:// or https:// with a host and nothing after its port");
    let limits = Limits::default();
    let limits = Limits { body: FORM, idle: setup::millis("IDLE_MS", limits.idle), ..limits };
    let store = env::var_os("STORE").unwrap_or_else(|| "bookmarks.log".into());
    refuse_unknown(&store);
    // Whoever asks for a lock must not be served without one.
    for lock in ["PASSWORD", "PRIVATE"] {
        if env::var_os(lock).is_some_and(|value| !value.is_empty()) {
            setup::bad_setting(lock, "…", "nothing: this server cannot be locked yet");
        }
    }

    let server = setup::bind_hosted().limits(limits);
    let listens = server.local_addr().ok().map(|address| address.ip());
    let app = App {
        store: open(&store),
        checker: Checker::new(private, base.clone(), listens),
        guard: base.into_iter().fold(Guard::new(), Guard::trust),
        server: server.handle(),
    };
    setup::run(server, |request: &mut Request<'_>| app.answer(request))
}

/// What was asked for by an argument: help, or something that there is not.
fn read(argument: &OsString) -> ExitCode {
    if argument == "--help" || argument == "-h" {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    eprintln!("{}: expected no argument, or --help", argument.display());
    ExitCode::from(2)
}

/// Refuses a store of another kind before it becomes a strange file name.
fn refuse_unknown(store: &OsString) {
    let text = store.to_string_lossy();
    if text.is_empty() {
        setup::bad_setting("STORE", "", "a path, `memory` or redis://host");
    }
    match text.split_once("://") {
        None | Some(("redis" | "rediss", _)) => {}
        // Without what follows: it may hold a password.
        Some((scheme, _)) => {
            let found = format!("{scheme}://…");
            setup::bad_setting("STORE", &found, "a path, `memory` or redis://host");
        }
    }
}

fn open(store: &OsString) -> Box<dyn Store> {
    if store == "memory" {
        return Box::new(Memory::new());
    }
    let text = store.to_string_lossy();
    if let Some((scheme @ ("redis" | "rediss"), _)) = text.split_once("://") {
        let bad = |wanted| setup::bad_setting("STORE", &format!("{scheme}://…"), wanted);
        return Box::new(reach(Redis::new(text.parse().unwrap_or_else(bad))));
    }
    Box::new(File::open(store).unwrap_or_else(|error| refuse(&error)))
}

/// A Redis that lets this program in, or is not there yet: the two may start in any order.
fn reach(redis: Redis) -> Redis {
    match redis.reach() {
        Err(StoreError::Away(why)) => eprintln!("STORE: {why}; waiting for it"),
        Err(refused) => refuse(&refused),
        Ok(()) => {}
    }
    redis
}

fn refuse(error: &StoreError) -> ! {
    eprintln!("STORE: {error}");
    exit(2)
}
