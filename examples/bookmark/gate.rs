//! Where a check may connect: names are looked up here, and every answer is judged by `address.rs`.
//!
//! The host of one request enters; the addresses to connect to leave, or an error. The connection is made
//! to the very addresses that were judged, since a second look-up could be answered differently.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::str::FromStr;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use longhand_kit::origin::Origin;
use ureq::config::Config;
use ureq::http;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use crate::address::{canonical, is_public};

/// The setting `CHECK_PRIVATE`: which addresses a check may reach beside the public internet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Private {
    /// All: for a server inside a network that its users share.
    Allow,
    /// The address and port at which the request came in: bookmarking oneself works, nothing else is
    /// reached.
    Own,
    /// None.
    Deny,
}

impl FromStr for Private {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "allow" => Ok(Self::Allow),
            "own" => Ok(Self::Own),
            "deny" => Ok(Self::Deny),
            _ => Err(format!("wanted `allow`, `own` or `deny`, found `{}`", text.escape_debug())),
        }
    }
}

/// Looks up the host of one request and decides whether to connect.
#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) private: Private,
    pub(crate) origin: Origin,
    /// `origin` is `BASE_URL`: whoever set that vouches for where it leads.
    pub(crate) is_base: bool,
    pub(crate) own: Vec<SocketAddr>,
}

impl Gate {
    /// Which of the addresses of a name to connect to.
    ///
    /// # Errors
    /// One of them is not admitted. That counts for all: a name with one public and one private answer
    /// is an attempt. But of a name of this server, as `localhost` is, only that one is meant: at `::1`
    /// somebody else may listen.
    fn choose(&self, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, SocketAddr> {
        if self.private == Private::Own && !self.is_base {
            let own: Vec<_> = found.iter().copied().filter(|&it| self.is_own(it)).collect();
            if !own.is_empty() {
                return Ok(own);
            }
        }
        match found.iter().find(|&&address| !self.admits(address)) {
            Some(&refused) => Err(refused),
            None => Ok(found),
        }
    }

    fn admits(&self, address: SocketAddr) -> bool {
        match self.private {
            Private::Allow => true,
            Private::Own => is_public(address.ip()) || self.is_base || self.is_own(address),
            Private::Deny => is_public(address.ip()),
        }
    }

    fn is_own(&self, address: SocketAddr) -> bool {
        self.own.contains(&canonical(address))
    }
}

impl Resolver for Gate {
    fn resolve(
        &self,
        _: &http::Uri,
        _: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let authority = format!("{}:{}", self.origin.host(), self.origin.port());
        let found =
            within(*timeout.after, move || authority.to_socket_addrs().map(Vec::from_iter))?
                .ok_or(ureq::Error::Timeout(timeout.reason))??;

        let found = self.choose(found).map_err(|refused| {
            let reason = format!("{refused} is not a public address");
            io::Error::new(io::ErrorKind::PermissionDenied, reason)
        })?;
        let mut admitted = self.empty();
        for address in found {
            // It holds 16; nobody waits for a seventeenth.
            let _ = admitted.try_push(address);
        }
        if admitted.is_empty() { Err(ureq::Error::HostNotFound) } else { Ok(admitted) }
    }
}

/// What `work` returns, or `None` if it takes longer than `time`.
///
/// std's look-up cannot be interrupted and has no deadline, so it gets a thread of its own, which
/// is left behind when time is up. It ends when the system's resolver gives up, after some 10 to 30
/// seconds; with eight checks of 5 seconds that makes a few dozen threads at the worst.
fn within<T: Send + 'static>(
    time: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<Option<T>> {
    let (done, result) = mpsc::sync_channel(1);
    let look_up = move || {
        // Nobody listens any more once time is up.
        let _ = done.send(work());
    };
    let thread = thread::Builder::new().name("look-up".to_owned()).spawn(look_up);
    thread.map_err(|error| io::Error::new(io::ErrorKind::OutOfMemory, error))?;
    Ok(result.recv_timeout(time).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::own;
    use std::time::Instant;

    fn gate(private: Private, local: &str, listens: &str, is_base: bool) -> Gate {
        let own = own(Some(local.parse().unwrap()), Some(listens.parse().unwrap()));
        Gate { private, origin: Origin::parse("http://name").unwrap(), is_base, own }
    }

    #[test]
    fn own_means_address_and_port() {
        let admits = |gate: &Gate, to: &str| gate.admits(to.parse().unwrap());
        let own = gate(Private::Own, "[::ffff:192.168.1.5]:8000", "::", false);
        for to in ["127.0.0.1:8000", "[::ffff:127.0.0.1]:8000", "[::1]:8000", "192.168.1.5:8000"] {
            assert!(admits(&own, to), "{to}");
        }
        assert!(admits(&own, "8.8.8.8:53"));
        for to in
            ["127.0.0.1:8001", "[::1]:80", "192.168.1.5:22", "192.168.1.6:8000", "0.0.0.0:8000"]
        {
            assert!(!admits(&own, to), "{to}");
        }
        let base = gate(Private::Own, "127.0.0.1:8000", "127.0.0.1", true);
        assert!(admits(&base, "10.0.0.7:443"));
        let deny = gate(Private::Deny, "127.0.0.1:8000", "0.0.0.0", true);
        assert!(!admits(&deny, "127.0.0.1:8000") && !admits(&deny, "10.0.0.7:443"));
        let allow = gate(Private::Allow, "127.0.0.1:1", "127.0.0.1", false);
        assert!(admits(&allow, "10.0.0.7:22"));
    }

    #[test]
    fn another_server_on_loopback_is_not_own_though_it_has_the_same_port() {
        let [four, six, other] = ["127.0.0.1:8000", "[::1]:8000", "127.0.0.2:8000"];
        // Where the request came in, where this server listens, and what is its own beside that.
        for (local, listens, admitted) in [
            (four, "127.0.0.1", &[four][..]),
            (six, "::1", &[six]),
            (other, "127.0.0.2", &[other]),
            ("192.168.1.5:8000", "192.168.1.5", &[]),
            ("192.168.1.5:8000", "0.0.0.0", &[four]),
            ("192.168.1.5:8000", "::", &[four, six]),
            (other, "0.0.0.0", &[four, other]),
        ] {
            let gate = gate(Private::Own, local, listens, false);
            for to in [four, six, other] {
                let is_admitted = gate.admits(to.parse().unwrap());
                assert_eq!(is_admitted, admitted.contains(&to), "{local} {listens} {to}");
            }
        }
        assert!(own(None, Some("0.0.0.0".parse().unwrap())).is_empty());
    }

    #[test]
    fn of_a_name_that_is_also_somebody_elses_only_the_own_address_is_reached() {
        let chosen = |private, is_base, found: &[&str]| {
            let found = found.iter().map(|text| text.parse().unwrap()).collect();
            let chosen = gate(private, "127.0.0.1:8000", "127.0.0.1", is_base).choose(found);
            chosen.map(|chosen| chosen.len())
        };
        let localhost = ["[::1]:8000", "127.0.0.1:8000"];
        assert_eq!(chosen(Private::Own, false, &localhost), Ok(1));
        assert_eq!(chosen(Private::Own, true, &localhost), Ok(2), "BASE_URL is where it leads");
        assert_eq!(chosen(Private::Allow, false, &localhost), Ok(2));
        assert!(chosen(Private::Deny, false, &localhost).is_err());
        assert!(chosen(Private::Own, false, &["8.8.8.8:8000", "10.0.0.1:8000"]).is_err());
        assert_eq!(chosen(Private::Own, false, &["8.8.8.8:8000"]), Ok(1));
    }

    #[test]
    fn a_look_up_that_blocks_is_left_behind() {
        let (hold, held) = mpsc::channel::<()>();
        let start = Instant::now();
        let looked = within(Duration::from_millis(20), move || held.recv().is_ok());
        assert_eq!(looked.unwrap(), None);
        assert!(start.elapsed() < Duration::from_secs(2));
        drop(hold);
        assert_eq!(within(Duration::from_secs(5), || 7).unwrap(), Some(7));
    }
}
