//! The settings: all of them from the environment, each judged before anything is served.
//!
//! A bad one is named, with what was found and what was wanted, and ends the program with exit code 2.
//! What is a secret is never repeated.

use std::env;
use std::ffi::OsString;
use std::str::FromStr;

use longhand::Limits;
use longhand_kit::forwarded::{BadPrefix, Proxies};
use longhand_kit::origin::Origin;

use crate::gate::Private;
use crate::people::Password;

pub(crate) const HELP: &str = "\
bookmark: short names for long URIs

It prints the address to open. Settings come from the environment:

  PORT             the port, default 8000; 0 takes a free one
  HOST             the address to listen on, default 127.0.0.1;
                   all interfaces where PORT is set and HOST is not
  LISTEN           `stdin`: it listens on the socket that is its standard input, as
                   systemd's StandardInput=socket passes one; PORT and HOST do not count
  STORE            where bookmarks are kept: a file, default bookmarks.log in the
                   current folder, which several processes may share; `memory`, until
                   the program ends; for several machines
                   redis://[user:password@]host[:port][/database]
  PASSWORD         who changes bookmarks has to know it; not set: everybody may. A hash
                   of it is taken too, which --hash makes of a line of standard input
  PRIVATE          1: who reads bookmarks or follows them has to know it as well
  CHECK_PRIVATE    what a check may reach beside the public internet: `own` (default)
                   this server itself, `allow` everything, `deny` nothing
  BASE_URL         where visitors find this server if that is not where it listens:
                   https://go.example.org behind a proxy
  TRUSTED_PROXIES  addresses of proxies whose X-Forwarded-* fields are believed:
                   10.0.0.0/8, ::1
  ACCESS_LOG       `combined` (default) and `json` write a line for each response to
                   standard output, `off` writes none
  IDLE_MS          how long a connection may rest between two requests, default 75000
  LAME_DUCK_MS     how long it goes on after SIGTERM or SIGINT while /.healthz already
                   says no, default 0; a second signal ends it at once
  DRAIN_MS         how long requests have to finish then, default 10000
  NOTIFY_SOCKET    where systemd wants to hear when it is ready (Type=notify), which
                   sets this itself

/.healthz says whether it takes requests, /.metrics counts for Prometheus; where there is
a PASSWORD, it wants that by Basic authentication, under any user name.
";

/// Bytes of a form: a URI and a name of the longest that `rules.rs` takes, each byte as `%xx`, fit
/// several times.
const FORM: u64 = 64 << 10;

/// What the environment says.
pub(crate) struct Settings {
    pub(crate) store: Place,
    pub(crate) password: Option<Password>,
    pub(crate) private: bool,
    pub(crate) check: Private,
    pub(crate) base: Option<Origin>,
    pub(crate) proxies: Proxies,
    pub(crate) log: Lines,
    pub(crate) limits: Limits,
}

/// Where bookmarks are kept.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Memory,
    File(OsString),
    /// The whole URI, in which there may be a password.
    Redis(String),
}

/// What is written of each response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lines {
    Combined,
    Json,
    Off,
}

impl Settings {
    /// Reads the environment. A bad setting ends the program.
    pub(crate) fn read() -> Self {
        let limits = Limits::default();
        let limits = Limits { body: FORM, idle: setup::millis("IDLE_MS", limits.idle), ..limits };
        let password = secret("PASSWORD");
        let private = setup::setting("PRIVATE", Switch(false), "1 or 0").0;
        if private && password.is_none() {
            setup::bad_setting("PRIVATE", "1", "a PASSWORD beside it: nobody could read anything");
        }
        Self {
            store: place(env::var_os("STORE")),
            password,
            private,
            check: setup::setting("CHECK_PRIVATE", Private::Own, "`own`, `allow` or `deny`"),
            base: setup::optional(
                "BASE_URL",
                "http:// or https:// with a host and nothing after its port",
            ),
            proxies: setup::setting(
                "TRUSTED_PROXIES",
                Trusted(Proxies::none()),
                "addresses like 10.0.0.0/8 or ::1, with commas between them",
            )
            .0,
            log: setup::setting("ACCESS_LOG", Lines::Combined, "`combined`, `json` or `off`"),
            limits,
        }
    }
}

/// A setting whose value is not repeated, however bad it is.
fn secret<T: FromStr<Err = String>>(name: &str) -> Option<T> {
    let text = env::var_os(name)?;
    let Some(text) = text.to_str() else { setup::bad_setting(name, "…", "UTF-8") };
    Some(text.parse().unwrap_or_else(|wanted: String| setup::bad_setting(name, "…", &wanted)))
}

fn place(setting: Option<OsString>) -> Place {
    let Some(setting) = setting else { return Place::File("bookmarks.log".into()) };
    let text = setting.to_string_lossy();
    if text.is_empty() {
        setup::bad_setting("STORE", "", "a path, `memory` or redis://host");
    }
    match text.split_once("://") {
        Some(("redis" | "rediss", _)) => Place::Redis(text.into_owned()),
        Some((scheme, _)) => {
            // Without what follows: it may hold a password.
            let found = format!("{scheme}://…");
            let wanted = "a path, `memory` or redis://host";
            setup::bad_setting("STORE", &found, wanted)
        }
        None if text == "memory" => Place::Memory,
        None => Place::File(setting),
    }
}

struct Switch(bool);

impl FromStr for Switch {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "1" => Ok(Self(true)),
            "0" => Ok(Self(false)),
            _ => Err(()),
        }
    }
}

struct Trusted(Proxies);

impl FromStr for Trusted {
    type Err = BadPrefix;

    fn from_str(text: &str) -> Result<Self, BadPrefix> {
        Ok(Self(Proxies::x_forwarded(text)?.and_host()))
    }
}

impl FromStr for Lines {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "combined" => Ok(Self::Combined),
            "json" => Ok(Self::Json),
            "off" => Ok(Self::Off),
            _ => Err(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read and not said, or said and not read, is a mistake in one of the two.
    #[test]
    fn the_help_lists_the_settings_that_are_read() {
        let source = concat!(
            include_str!("settings.rs"),
            include_str!("../setup.rs"),
            include_str!("../service.rs")
        );
        for name in HELP.lines().filter_map(|line| line.strip_prefix("  ")) {
            let name = name.split(' ').next().unwrap();
            if !name.is_empty() {
                assert!(source.contains(&format!("\"{name}\"")), "{name} is not read");
            }
        }
        for part in source.split('"').filter(|part| {
            part.len() > 3 && part.bytes().all(|octet| octet.is_ascii_uppercase() || octet == b'_')
        }) {
            assert!(HELP.contains(&format!("\n  {part} ")), "{part} is not in the help");
        }
    }

    #[test]
    fn a_store_is_told_by_its_form() {
        for (text, expected) in [
            ("memory", Place::Memory),
            ("a b.log", Place::File("a b.log".into())),
            ("/x/memory", Place::File("/x/memory".into())),
        ] {
            assert_eq!(place(Some(text.into())), expected);
        }
        assert_eq!(place(None), Place::File("bookmarks.log".into()));
    }
}
