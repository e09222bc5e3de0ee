//! A folder, served: what `python -m http.server` is used for.
//!
//! ```text
//! cargo run --example files -- some/folder
//! LISTING=1 PORT=8001 cargo run --example files
//! ```
//!
//! The folder enters as an argument, settings enter from the environment; out come its files, with
//! ranges, validators and, where it is asked for, compressed siblings. It says on standard error
//! what it serves and why it could not send something.

use std::env;
use std::ffi::OsString;
use std::path::{Path, absolute};
use std::process::ExitCode;

use longhand::{Event, Request};
use longhand_kit::files::Dir;

const HELP: &str = "\
files [FOLDER]: serves a folder, by default the current one

It prints the address to open. Settings come from the environment:

  PORT           the port, default 8000; 0 takes a free one
  HOST           the address to listen on, default 127.0.0.1
  LISTING        1: a page of what is in a folder that has no index.html
  PRECOMPRESSED  1: a.js.br or a.js.gz is sent for a.js to who accepts that
  HIDDEN         1: names that begin with a dot are served too
  LAME_DUCK_MS   how long SIGTERM lets it go on as before, default 0
  DRAIN_MS       how long what has begun may then take, default 10000

A folder without index.html is not found unless LISTING=1 shows what is in it.
";

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let folder = match &arguments[..] {
        [] => OsString::from("."),
        [help] if help == "--help" || help == "-h" => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        [flag] if flag.to_string_lossy().starts_with('-') => {
            return refuse(&format!("{}: expected a folder, or --help", flag.display()));
        }
        [folder] => folder.clone(),
        more => return refuse(&format!("{} arguments: expected one folder", more.len())),
    };
    let site = match Dir::new(&folder) {
        Ok(site) => configure(site),
        Err(error) => return refuse(&error.to_string()),
    };
    let server = setup::bind();
    let whole = absolute(&folder);
    let folder = whole.as_deref().unwrap_or(Path::new(&folder));
    setup::complain(&format!("serving {}", folder.display()));
    setup::run_observed(server, tell, |request: &mut Request<'_>| site.handle(request))
}

fn configure(mut site: Dir) -> Dir {
    if switch("LISTING") {
        site = site.listing();
    }
    if switch("PRECOMPRESSED") {
        site = site.precompressed();
    }
    if switch("HIDDEN") {
        site = site.hidden();
    }
    site
}

/// A setting that is on or off.
fn switch(name: &str) -> bool {
    match setup::setting(name, 0, "1 or 0") {
        0 => false,
        1 => true,
        other => setup::bad_setting(name, &u8::to_string(&other), "1 or 0"),
    }
}

/// Why something could not be sent, which the visitor is not told. Visitors that break off are none
/// of it: browsers do that to every film.
fn tell(event: &Event<'_>) {
    if let Event::Answered(answered) = event
        && let Some(error) = answered.error.filter(|_| answered.whole)
    {
        let path = answered.head.map_or("-", |head| head.target.path());
        setup::complain(&format!("{path}: {}: {error}", answered.status));
    }
}

fn refuse(why: &str) -> ExitCode {
    eprintln!("{why}");
    ExitCode::from(2)
}
