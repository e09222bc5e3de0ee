//! Short names for long URIs: a page with a form, and a redirect for each name that was saved.
//!
//! ```text
//! cargo run --example bookmark
//! open http://127.0.0.1:8000/ in a browser, or:
//! curl -i -d longuri=http://127.0.0.1:8000/ -d shortname=home http://127.0.0.1:8000/
//! curl -i http://127.0.0.1:8000/home
//! ```
//!
//! It began as the solution of an exercise of a course in Python, whose tests it still passes: where a file
//! speaks of the course, that is why something is as it is.
//!
//! A URI is saved after it has answered. So this server may be asked, while it serves a request, to
//! fetch a page of its own: with one thread it would wait for itself, and with one for each
//! connection it does not.
//!
//! Settings enter from the environment (`--help` lists them); a server leaves that runs until
//! SIGTERM or SIGINT. The files in reading order: what may be stored and how it is written (`rules`,
//! `time`, `json`), where bookmarks are kept (`store`), which of them a path means (`names`) and how
//! often they are followed (`visits`); whom a check may reach and how it is made (`address`, `gate`, `places`,
//! `check`);
//! what visitors read (`select`, `page`, `wants`, `trouble`), who may do what (`people`), files in and
//! out (`transfer`), what is counted (`tally`), which request gets what (`app`), `settings`.

mod rules;
mod time;
mod json;
mod store;
mod names;
mod visits;
mod address;
mod gate;
mod places;
mod check;
mod select;
mod page;
mod wants;
mod trouble;
mod people;
mod transfer;
mod tally;
mod app;
mod settings;

use std::ffi::OsString;
use std::io::BufRead;
use std::process::{ExitCode, exit};
use std::sync::Arc;
use std::{env, io, thread};

use longhand::{Event, Request};
use longhand_kit::auth::{DEFAULT_ROUNDS, PasswordHash};
use longhand_kit::cross_origin::Guard;
use longhand_kit::forwarded::Proxies;
use longhand_kit::log::Log;

use crate::app::App;
use crate::check::Checker;
use crate::people::People;
use crate::places::Places;
use crate::settings::{HELP, Lines, Place, Settings};
use crate::store::file::File;
use crate::store::memory::Memory;
use crate::store::place::Place as RedisPlace;
use crate::store::redis::Redis;
use crate::store::{Store, StoreError};
use crate::tally::Tally;
use crate::trouble::log;
use crate::visits::Counter;

/// For the observer, which lives as long as the program.
static TALLY: Tally = Tally::new();

/// Imports at once.
const IMPORTS: usize = 2;

/// Files that are received at once: each is in memory until it is read.
const UPLOADS: usize = 8;

fn main() -> ExitCode {
    if let Some(argument) = env::args_os().nth(1) {
        return read(&argument);
    }
    let settings = Settings::read();
    let store = open(&settings.store);
    let server = setup::bind_hosted().limits(settings.limits);
    let listens = server.local_addr().ok().map(|address| address.ip());
    let Settings { password, private, proxies, base, .. } = settings;
    let people = People::new(password, private, proxies.clone(), base.as_ref(), &store);
    let people = people.unwrap_or_else(|error| {
        eprintln!("random bytes: {error}");
        exit(2)
    });
    let visits = Arc::new(Counter::new(Arc::clone(&store)));
    let guard = Guard::new().proxies(proxies.clone());
    let app = App {
        store,
        visits: Arc::clone(&visits),
        checker: Checker::new(settings.check, base.clone(), listens),
        imports: Places::new(IMPORTS),
        uploads: Places::new(UPLOADS),
        guard: base.iter().cloned().fold(guard, Guard::trust),
        people,
        proxies: proxies.clone(),
        base,
        tally: &TALLY,
        server: server.handle(),
    };
    let observer = observer(settings.log, proxies);
    thread::scope(|scope| {
        scope.spawn(|| visits.run(log));
        let code =
            setup::run_observed(server, observer, |request: &mut Request<'_>| app.answer(request));
        // What has been counted until the last connection ended is written before the program ends.
        visits.end();
        code
    })
}

/// What is done with each thing that happens: it is counted, and there is a line for each response.
fn observer(lines: Lines, proxies: Proxies) -> impl Fn(&Event<'_>) + Send + Sync + 'static {
    let access = match lines {
        Lines::Combined => Some(Log::combined(io::stdout()).proxies(proxies)),
        Lines::Json => Some(Log::json(io::stdout()).proxies(proxies)),
        Lines::Off => None,
    };
    move |event| {
        TALLY.server.observe(event);
        if let Some(access) = &access {
            access.observe(event);
        }
        if let Event::Panicked { message, .. } = event {
            log(&format!("a handler panicked: {message}"));
        }
    }
}

/// What was asked for by an argument: help, a hash, or something that there is not.
fn read(argument: &OsString) -> ExitCode {
    if argument == "--help" || argument == "-h" {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    if argument == "--hash" {
        return match hash_of(io::stdin().lock()) {
            Ok(hash) => {
                println!("{hash}");
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("--hash: {error}");
                ExitCode::from(2)
            }
        };
    }
    eprintln!("{}: expected no argument, --help or --hash", argument.display());
    ExitCode::from(2)
}

/// The hash of the password on the first line. It comes that way because other users of the machine may
/// see arguments.
fn hash_of(mut input: impl BufRead) -> io::Result<PasswordHash> {
    let mut line = String::new();
    input.read_line(&mut line)?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.trim().is_empty() {
        return Err(io::Error::other(
            "expected a password on a line of standard input, found none",
        ));
    }
    PasswordHash::make(password, DEFAULT_ROUNDS)
}

fn open(place: &Place) -> Arc<dyn Store> {
    match place {
        Place::Memory => Arc::new(Memory::new()),
        Place::File(path) => Arc::new(File::open(path).unwrap_or_else(|error| refuse(&error))),
        Place::Redis(uri) => {
            let scheme = uri.split(':').next().unwrap_or_default();
            // Without what follows: it may hold a password.
            let bad = |wanted| setup::bad_setting("STORE", &format!("{scheme}://…"), wanted);
            Arc::new(reach(Redis::new(uri.parse::<RedisPlace>().unwrap_or_else(bad))))
        }
    }
}

/// A Redis that lets this program in, or is not there yet: the two may start in any order.
fn reach(redis: Redis) -> Redis {
    match redis.reach() {
        Err(StoreError::Away(why)) => log(&format!("STORE: {why}; waiting for it")),
        Err(refused) => refuse(&refused),
        Ok(()) => {}
    }
    redis
}

fn refuse(error: &StoreError) -> ! {
    log(&format!("STORE: {error}"));
    exit(2)
}
