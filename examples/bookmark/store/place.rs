//! Where a Redis is and how it lets one in: the setting `STORE=redis://…`.
//!
//! ```text
//! redis://[user:password@]host[:port][/database]     port 6379, database 0
//! ```
//!
//! Text enters, a [`Place`] leaves, or what was wanted of the text. What was found is never repeated: in
//! a URI that is written wrong, a password may stand where a port should. Nor does a `Place` show
//! more of itself than host, port and database.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use longhand::wire::percent_decode;

/// Where a Redis is and how it lets one in.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// Without the brackets of an IPv6 address.
    pub(super) host: String,
    pub(super) port: u16,
    /// The words that `AUTH` takes: a password, or a user and a password.
    pub(super) credentials: Vec<Vec<u8>>,
    pub(super) database: u32,
}

impl FromStr for Place {
    /// What was wanted.
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with("rediss://") {
            return Err("redis://…: TLS is not spoken here; a tunnel such as stunnel speaks it");
        }
        let rest = text.strip_prefix("redis://").ok_or("redis://host")?;
        // The last one, so that what stands before it is never taken for a host.
        let (credentials, rest) = match rest.rsplit_once('@') {
            Some((userinfo, rest)) => (credentials(userinfo)?, rest),
            None => (Vec::new(), rest),
        };
        if rest.contains(['?', '#']) {
            return Err("nothing after host, port and database");
        }
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let database = if database.is_empty() { Some(0) } else { number(database) };
        let database = database.ok_or("a number as database, as in redis://host/1")?;
        let (host, port) = host_and_port(authority)?;
        Ok(Self { host, port, credentials, database })
    }
}

/// `user:password`, each percent-encoded; the user may be left out.
fn credentials(userinfo: &str) -> Result<Vec<Vec<u8>>, &'static str> {
    let encoded = "`@`, `/`, `?`, `#` and `%` of a password as %40, %2F, %3F, %23 and %25";
    if userinfo.contains(['@', '/', '?', '#']) {
        return Err(encoded);
    }
    let parts = userinfo.split_once(':').filter(|parts| *parts != ("", ""));
    let (user, password) = parts.ok_or("`user:password@` or `:password@` before the host")?;
    let words = [user, password].into_iter().skip(usize::from(user.is_empty()));
    words.map(|word| percent_decode(word).map_err(|_| encoded)).collect()
}

fn host_and_port(authority: &str) -> Result<(String, u16), &'static str> {
    let bracketed = authority.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let (host, port) = match bracketed {
        Some((host, port)) => {
            host.parse::<Ipv6Addr>().map_err(|_| "an IPv6 address between brackets")?;
            (host, port)
        }
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let is_host = |octet: u8| octet.is_ascii_alphanumeric() || b"-._".contains(&octet);
    if bracketed.is_none() && (host.is_empty() || !host.bytes().all(is_host)) {
        return Err("a host name or address after redis://");
    }
    let port = match port.strip_prefix(':') {
        Some(digits) => number(digits).and_then(|port| u16::try_from(port).ok()),
        None => port.is_empty().then_some(6379),
    };
    let port = port.filter(|&port| port > 0).ok_or("a port from 1 to 65535 after the host")?;
    Ok((host.to_owned(), port))
}

fn number(digits: &str) -> Option<u32> {
    let is_number = digits.bytes().all(|octet| octet.is_ascii_digit());
    if is_number { digits.parse().ok() } else { None }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "redis://[{}]:{}", self.host, self.port)?,
            false => write!(f, "redis://{}:{}", self.host, self.port)?,
        }
        if self.database == 0 { Ok(()) } else { write!(f, "/{}", self.database) }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Place {
        text.parse().unwrap_or_else(|wanted| panic!("{text}: {wanted}"))
    }

    #[test]
    fn hosts_ports_and_databases_are_read() {
        for (text, shown) in [
            ("redis://localhost", "redis://localhost:6379"),
            ("redis://localhost/", "redis://localhost:6379"),
            ("redis://10.0.0.1:7000", "redis://10.0.0.1:7000"),
            ("redis://db_1.example-net.org:1/15", "redis://db_1.example-net.org:1/15"),
            ("redis://[::1]", "redis://[::1]:6379"),
            ("redis://[::1]:7000/3", "redis://[::1]:7000/3"),
            ("redis://host/0", "redis://host:6379"),
        ] {
            let place = place(text);
            assert_eq!((place.to_string(), place.credentials.len()), (shown.to_owned(), 0));
        }
        assert_eq!(place("redis://[::1]").host, "::1");
    }

    #[test]
    fn credentials_are_decoded_and_never_shown() {
        for (text, words) in [
            ("redis://:s%40%2Fx%25@h", &["s@/x%"][..]),
            ("redis://me:a:b@h", &["me", "a:b"]),
            ("redis://m%3Ae:@h", &["m:e", ""]),
        ] {
            let place = place(text);
            let found: Vec<&[u8]> = place.credentials.iter().map(Vec::as_slice).collect();
            assert_eq!(found, words.iter().map(|word| word.as_bytes()).collect::<Vec<_>>());
            assert_eq!(format!("{place} {place:?}"), "redis://h:6379 redis://h:6379");
        }
        assert_eq!(place("redis://:%FF@h").credentials, [[0xff]]);
    }

    #[test]
    fn what_is_no_place_is_refused_without_repeating_it() {
        for (text, wanted) in [
            ("rediss://secret", "TLS"),
            ("redis:secret", "redis://"),
            ("redis://", "a host"),
            ("redis:///secret", "a number as database"),
            ("redis:///1", "a host"),
            ("redis://:secret", "a host"),
            ("redis://me:secret", "a port"),
            ("redis://secret@h", "user:password@"),
            ("redis://:@h", "user:password@"),
            ("redis://:sec/ret@h", "%2F"),
            ("redis://:sec@ret@h", "%40"),
            ("redis://:sec?ret@h", "%3F"),
            ("redis://:sec%ret@h", "%25"),
            ("redis://:s@", "a host"),
            ("redis://h:", "a port"),
            ("redis://h:0", "a port"),
            ("redis://h:65536", "a port"),
            ("redis://h:+1", "a port"),
            ("redis://::1", "a host"),
            ("redis://[::1", "a host"),
            ("redis://[secret]", "IPv6"),
            ("redis://[::1]secret", "a port"),
            ("redis://hé", "a host"),
            ("redis://h/secret", "a number as database"),
            ("redis://h/-1", "a number as database"),
            ("redis://h/1/2", "a number as database"),
            ("redis://h/99999999999", "a number as database"),
            ("redis://h?db=1", "nothing after"),
            ("redis://h/1#secret", "nothing after"),
        ] {
            let found = text.parse::<Place>().unwrap_err();
            assert!(found.contains(wanted) && !found.contains("secret"), "{text}: {found}");
        }
    }
}
