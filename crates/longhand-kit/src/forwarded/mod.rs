//! Who the client is behind proxies that one trusts: its address, its scheme, the host it asked for.
//!
//! A request enters, a [`Client`] leaves. A proxy in front of a server hides the client, and tells of
//! it in fields: `Forwarded` (RFC 7239), or `X-Forwarded-For` and its kin, which no RFC describes.
//! Anybody can send these. So they are read only where the peer itself is a proxy that
//! [`Proxies`] lists, and only as far as the chain of such proxies reaches:
//!
//! ```text
//! X-Forwarded-For: 1.1.1.1, 203.0.113.7, 10.0.0.5        peer: 10.0.0.9, trusted
//!                  |        |            `- seen by 10.0.0.9; trusted, so what it saw counts
//!                  |        `- seen by 10.0.0.5: not trusted, so this is the client
//!                  `- said by the client: never read
//! ```
//!
//! What is decided here, and why:
//!
//! - **One family of fields.** A proxy that sets one of them passes the other on as the client sent
//!   it. So a program says which one its proxies set, and the other is not looked at.
//! - **From the right.** All lines count, in order. Each hop adds at the right, so what stands to the
//!   left of a hop can neither hide nor change what that hop wrote, not even with a quote that is
//!   never closed.
//! - **What is malformed, `unknown` or obfuscated (`_x`) ends the walk**, and the hop that said it
//!   counts as the client: the last address that is known. Nothing is guessed.
//! - **`X-Forwarded-Host` is read only on [demand](Proxies::and_host).** Most proxies pass it on as
//!   the client sent it.
//!
//! # nginx
//!
//! What it needs in front of [`Proxies::x_forwarded`]; the host then comes in `Host` itself. It is
//! `$http_host` and not `$host`, which has lost the port: a guard against [other sites'
//! forms](crate::cross_origin) compares that too.
//!
//! ```text
//! location / {
//!     proxy_pass http://127.0.0.1:8000;
//!     proxy_http_version 1.1;
//!     proxy_set_header Host $http_host;
//!     proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
//!     proxy_set_header X-Forwarded-Proto $scheme;
//! }
//! ```

use std::net::{IpAddr, SocketAddr};

use longhand::Request;
use longhand::wire::Fields;

use crate::origin::Scheme;

mod prefix;
mod hops;

use hops::{Said, from_forwarded, from_x_forwarded};
pub use prefix::BadPrefix;
use prefix::{Prefix, prefixes};

/// The proxies that are believed, and the fields that they set. By default there are no proxies.
///
/// They are written in one text, separated by commas or blanks: addresses, prefixes, and `unix` for
/// whoever connects through a Unix socket, where peers have no address.
///
/// ```
/// # use longhand::{Limits, Request, Response, serve_connection, transport::Scripted};
/// use longhand_kit::forwarded::Proxies;
///
/// let proxies = Proxies::x_forwarded("127.0.0.1, ::1, 10.0.0.0/8")?;
/// let answer = |request: &mut Request<'_>| {
///     let client = proxies.client(request);
///     Response::text(format!("{:?} by {}", client.address(), client.scheme()))
/// };
/// # let ask = |peer: &str| {
/// #     let mut peer = Scripted::new().address(peer.parse().unwrap()).send(
/// #         "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.1.1.1, 203.0.113.7\r\nX-Forwarded-Proto: https\r\n\r\n").end();
/// #     serve_connection(&mut peer, &Limits::default(), answer);
/// #     peer.output_text().rsplit_once("\r\n\r\n").unwrap().1.to_owned()
/// # };
/// // X-Forwarded-For: 1.1.1.1, 203.0.113.7
/// // X-Forwarded-Proto: https
/// assert_eq!(ask("10.0.0.9:50000"), "Some(203.0.113.7) by https");
/// assert_eq!(ask("192.0.2.1:50000"), "Some(192.0.2.1) by http", "not one of the proxies");
///
/// let refused = Proxies::x_forwarded("127.0.0.1, 10.0.0.1/8").unwrap_err();
/// assert_eq!(refused.to_string(), "trusted proxy 2, \"10.0.0.1/8\": expected 10.0.0.0/8, with no bits behind the prefix");
/// # Ok::<(), longhand_kit::forwarded::BadPrefix>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    trusted: Vec<Prefix>,
    family: Family,
    reads_host: bool,
}

/// Which fields the proxies set.
#[derive(Clone, Copy, Debug, Default)]
enum Family {
    #[default]
    XForwarded,
    Forwarded,
}

impl Proxies {
    /// No proxy: the client is the peer, whatever it says.
    ///
    /// ```
    /// # use longhand::{Limits, Request, Response, serve_connection, transport::Scripted};
    /// use longhand_kit::forwarded::Proxies;
    ///
    /// let mut peer = Scripted::new().address("192.0.2.1:4000".parse().unwrap())
    ///     .send("GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n").end();
    /// serve_connection(&mut peer, &Limits::default(), |request: &mut Request<'_>| {
    ///     let client = Proxies::none().client(request);
    ///     assert_eq!(client.address(), "192.0.2.1".parse().ok());
    ///     Response::text("")
    /// });
    /// # assert!(peer.output_text().starts_with("HTTP/1.1 200 "));
    /// ```
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Proxies that set `X-Forwarded-For` and `X-Forwarded-Proto`, or remove the one that they do not
    /// set: a field that they pass on is the client's to choose.
    ///
    /// # Errors
    /// The first entry that is no address, no prefix and not `unix`.
    pub fn x_forwarded(trusted: &str) -> Result<Self, BadPrefix> {
        Ok(Self { trusted: prefixes(trusted)?, family: Family::XForwarded, reads_host: false })
    }

    /// Proxies that set `Forwarded` (RFC 7239): one element with `for`, and perhaps `proto` and `host`.
    ///
    /// # Errors
    /// As [`x_forwarded`](Self::x_forwarded).
    ///
    /// ```
    /// # use longhand::{Limits, Request, Response, serve_connection, transport::Scripted};
    /// use longhand_kit::forwarded::{Client, Proxies};
    ///
    /// let proxies = Proxies::forwarded("unix")?;
    /// let answer = |request: &mut Request<'_>| {
    ///     let client = proxies.client(request);
    ///     request.set(client); // found out once, for all who handle the request
    ///     let client = request.get::<Client>().unwrap();
    ///     assert_eq!(client.address(), "2001:db8::17".parse().ok());
    ///     assert!(client.is_secure());
    ///     Response::text(client.authority().to_owned())
    /// };
    /// let mut proxy = Scripted::new().send(
    ///     "GET / HTTP/1.1\r\nHost: backend\r\n\
    ///      Forwarded: for=\"[2001:db8::17]:4711\";proto=https;host=go.example\r\n\r\n",
    /// ).end();
    /// serve_connection(&mut proxy, &Limits::default(), answer);
    /// assert!(proxy.output_text().ends_with("\r\n\r\ngo.example"));
    /// # Ok::<(), longhand_kit::forwarded::BadPrefix>(())
    /// ```
    pub fn forwarded(trusted: &str) -> Result<Self, BadPrefix> {
        Ok(Self { trusted: prefixes(trusted)?, family: Family::Forwarded, reads_host: true })
    }

    /// The same, where the proxies set `X-Forwarded-Host` as well. Without this it is not read,
    /// because a proxy that does not know the field passes on what the client made up.
    ///
    /// ```
    /// # use longhand::{Limits, Request, Response, serve_connection, transport::Scripted};
    /// use longhand_kit::forwarded::Proxies;
    ///
    /// let proxies = Proxies::x_forwarded("unix")?.and_host();
    /// # let mut proxy = Scripted::new().send(
    /// #     "GET / HTTP/1.1\r\nHost: backend\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Host: go.example\r\n\r\n").end();
    /// # serve_connection(&mut proxy, &Limits::default(), |request: &mut Request<'_>| {
    /// // X-Forwarded-Host: go.example
    /// assert_eq!(proxies.client(request).authority(), "go.example");
    /// # Response::text("") });
    /// # assert!(proxy.output_text().starts_with("HTTP/1.1 200 "));
    /// # Ok::<(), longhand_kit::forwarded::BadPrefix>(())
    /// ```
    #[must_use]
    pub fn and_host(mut self) -> Self {
        self.reads_host = true;
        self
    }

    /// Who asks. Call it where you need it; or once, and keep what it gives by [`Request::set`].
    #[must_use]
    pub fn client(&self, request: &Request<'_>) -> Client {
        let mut client = Client {
            address: canonical(request.peer()),
            scheme: if request.is_secure() { Scheme::Https } else { Scheme::Http },
            authority: request.authority().to_owned(),
        };
        if self.trusts(client.address) {
            let said = self.walk(request.fields());
            client.address = said.address.or(client.address);
            client.scheme = said.scheme.unwrap_or(client.scheme);
            client.authority = said.authority.unwrap_or(client.authority);
        }
        client
    }

    /// The address of the client alone, from what an observer is told of a request: its peer, and the
    /// fields of its head. `None` over a Unix socket whose peer says nothing.
    ///
    /// ```
    /// # use longhand::{Limits, wire::{Fields, Parsed}};
    /// # use longhand_kit::forwarded::Proxies;
    /// # let (bytes, mut lines) = (b"X-Forwarded-For: 192.0.2.1\r\n\r\n", Vec::new());
    /// # let Ok(Parsed::Complete { value: fields, .. }) = Fields::parse(bytes, &Limits::default(), &mut lines)
    /// # else { panic!() };
    /// let proxies = Proxies::x_forwarded("10.0.0.0/8")?;
    /// // In an observer: answered.peer, and the fields of answered.head. Here X-Forwarded-For: 192.0.2.1
    /// assert_eq!(proxies.address("10.0.0.9:50000".parse().ok(), fields), "192.0.2.1".parse().ok());
    /// # Ok::<(), longhand_kit::forwarded::BadPrefix>(())
    /// ```
    #[must_use]
    pub fn address(&self, peer: Option<SocketAddr>, fields: Fields<'_>) -> Option<IpAddr> {
        let peer = canonical(peer);
        if self.trusts(peer) { self.walk(fields).address.or(peer) } else { peer }
    }

    fn trusts(&self, peer: Option<IpAddr>) -> bool {
        self.trusted.iter().any(|prefix| prefix.holds(peer))
    }

    fn walk(&self, fields: Fields<'_>) -> Said {
        let trusts = |address| self.trusts(Some(address));
        match self.family {
            Family::XForwarded => from_x_forwarded(fields, self.reads_host, trusts),
            Family::Forwarded => from_forwarded(fields, trusts),
        }
    }
}

/// Who asks, as far as that can be trusted; [`Proxies::client`] finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    address: Option<IpAddr>,
    scheme: Scheme,
    authority: String,
}

impl Client {
    /// Its address; an IPv4 address as IPv4, also where it came as `::ffff:a.b.c.d`. `None` over a Unix
    /// socket whose peer says nothing.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// The scheme of what it asked for, which is also how it reached the first proxy.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Whether it came by `https`.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.scheme == Scheme::Https
    }

    /// Host and port of what it asked for, as [`Request::authority`]: its grammar is checked, its
    /// truth is not, since a client may ask for any host.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

fn canonical(peer: Option<SocketAddr>) -> Option<IpAddr> {
    peer.map(|peer| peer.ip().to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use longhand::transport::Scripted;
    use longhand::{Limits, Response, serve_connection};

    /// The client of a request with these field lines; those of `peer` connect from there.
    fn client(proxies: &Proxies, peer: Option<&str>, lines: &[impl AsRef<[u8]>]) -> Client {
        let mut request = b"GET / HTTP/1.1\r\nHost: backend:8000\r\n".to_vec();
        for line in lines {
            request.extend_from_slice(&[line.as_ref(), b"\r\n"].concat());
        }
        let mut scripted = Scripted::new().send([&request[..], b"\r\n"].concat()).end();
        if let Some(peer) = peer {
            scripted = scripted.address(SocketAddr::new(peer.parse().unwrap(), 50_000));
        }
        let found = std::cell::RefCell::new(None);
        serve_connection(&mut scripted, &Limits::default(), |request| {
            let client = proxies.client(request);
            assert_eq!(proxies.address(request.peer(), request.fields()), client.address());
            *found.borrow_mut() = Some(client);
            Response::text("")
        });
        let output = scripted.output_text();
        found.into_inner().unwrap_or_else(|| panic!("refused: {output}"))
    }

    fn shown(client: &Client) -> String {
        let address = client.address().map_or("-".to_owned(), |address| address.to_string());
        format!("{address} {} {}", client.scheme(), client.authority())
    }

    fn x() -> Proxies {
        Proxies::x_forwarded("10.0.0.0/8 fd00::/8 unix").unwrap()
    }

    fn forwarded() -> Proxies {
        Proxies::forwarded("10.0.0.0/8 fd00::/8 unix").unwrap()
    }

    #[test]
    fn fields_are_read_of_trusted_peers_alone() {
        let lines = [
            "X-Forwarded-For: 203.0.113.7",
            "X-Forwarded-Proto: https",
            "X-Forwarded-Host: go.example",
            "Forwarded: for=198.51.100.9;proto=https;host=other.example",
        ];
        for (proxies, peer, wanted) in [
            (Proxies::none(), Some("10.0.0.1"), "10.0.0.1 http backend:8000"),
            (Proxies::none(), None, "- http backend:8000"),
            (x(), Some("192.0.2.1"), "192.0.2.1 http backend:8000"),
            (x(), Some("10.0.0.1"), "203.0.113.7 https backend:8000"),
            (x(), Some("::ffff:10.0.0.1"), "203.0.113.7 https backend:8000"),
            (x(), Some("::ffff:192.0.2.1"), "192.0.2.1 http backend:8000"),
            (x(), Some("fd12::1"), "203.0.113.7 https backend:8000"),
            (x(), None, "203.0.113.7 https backend:8000"),
            (x().and_host(), Some("10.0.0.1"), "203.0.113.7 https go.example"),
            (x().and_host(), Some("192.0.2.1"), "192.0.2.1 http backend:8000"),
            (forwarded(), Some("10.0.0.1"), "198.51.100.9 https other.example"),
            (forwarded(), Some("192.0.2.1"), "192.0.2.1 http backend:8000"),
            (Proxies::x_forwarded("10.0.0.1").unwrap(), None, "- http backend:8000"),
        ] {
            assert_eq!(shown(&client(&proxies, peer, &lines)), wanted, "{proxies:?} {peer:?}");
        }
    }

    #[test]
    fn x_forwarded_for_is_walked_from_the_right_past_the_trusted() {
        for (values, wanted) in [
            (&[][..], "10.0.0.1"),
            (&[""], "10.0.0.1"),
            (&[" , ,"], "10.0.0.1"),
            (&["203.0.113.7"], "203.0.113.7"),
            (&["1.1.1.1, 203.0.113.7"], "203.0.113.7"),
            (&["1.1.1.1", "203.0.113.7"], "203.0.113.7"),
            (&["1.1.1.1, 203.0.113.7,10.0.0.5 ,10.0.0.6"], "203.0.113.7"),
            (&["1.1.1.1, 203.0.113.7", "10.0.0.5", "10.0.0.6"], "203.0.113.7"),
            (&["203.0.113.7,, ,10.0.0.5,"], "203.0.113.7"),
            // All are trusted: the one that is farthest away.
            (&["10.0.0.7, 10.0.0.5"], "10.0.0.7"),
            (&["203.0.113.7:4711"], "203.0.113.7"),
            (&["203.0.113.7:_port"], "203.0.113.7"),
            (&["2001:db8::7"], "2001:db8::7"),
            (&["[2001:db8::7]"], "2001:db8::7"),
            (&["[2001:db8::7]:4711"], "2001:db8::7"),
            (&["::ffff:203.0.113.7"], "203.0.113.7"),
            (&["203.0.113.7, ::ffff:10.0.0.5"], "203.0.113.7"),
            (&["203.0.113.7, [fd00::5]:80"], "203.0.113.7"),
            // What cannot be read ends the walk at the hop that said it.
            (&["203.0.113.7, unknown"], "10.0.0.1"),
            (&["203.0.113.7, unknown, 10.0.0.5"], "10.0.0.5"),
            (&["203.0.113.7, _hidden, 10.0.0.5"], "10.0.0.5"),
            (&["203.0.113.7, 10.0.0.5x"], "10.0.0.1"),
            (&["203.0.113.7, 010.0.0.5"], "10.0.0.1"),
            (&["203.0.113.7, 10.0.0.5:"], "10.0.0.1"),
            (&["203.0.113.7, 10.0.0.5:123456"], "10.0.0.1"),
            (&["203.0.113.7, [10.0.0.5]"], "10.0.0.1"),
            (&["203.0.113.7, [fd00::5"], "10.0.0.1"),
            (&["203.0.113.7, fd00::5%eth0"], "10.0.0.1"),
            (&["203.0.113.7 10.0.0.5"], "10.0.0.1"),
            (&["\"203.0.113.7\""], "10.0.0.1"),
            (&["for=203.0.113.7"], "10.0.0.1"),
            (&["\"open, 203.0.113.7"], "203.0.113.7"),
        ] {
            let lines: Vec<_> = values.iter().map(|v| format!("X-Forwarded-For: {v}")).collect();
            let client = client(&x(), Some("10.0.0.1"), &lines);
            assert_eq!(client.address().unwrap().to_string(), wanted, "{values:?}");
        }
    }

    #[test]
    fn scheme_and_host_are_of_the_hop_that_saw_the_client() {
        for (addresses, scheme, host, wanted) in [
            ("203.0.113.7", "https", "a", "https a"),
            ("203.0.113.7", "HTTPS", "A:443", "https A:443"),
            // Said by the client and added to.
            ("203.0.113.7", "https, http", "evil, a", "http a"),
            // Two hops that add, and the client before them.
            ("203.0.113.7, 10.0.0.5", "http, https, http", "evil, a, b", "https a"),
            // Two hops that replace.
            ("203.0.113.7, 10.0.0.5", "https", "a", "https a"),
            // The nearest hop tells of the scheme alone.
            ("", "https", "a", "https a"),
            ("unknown", "http, https", "b, a", "https a"),
            ("203.0.113.7", "", "", "http backend:8000"),
            ("203.0.113.7", "gopher", "a b", "http backend:8000"),
            ("203.0.113.7", "https://", "a/b", "http backend:8000"),
            ("203.0.113.7", "\"https\"", "user@a", "http backend:8000"),
        ] {
            let lines = [
                format!("X-Forwarded-For: {addresses}"),
                format!("X-Forwarded-Proto: {scheme}"),
                format!("X-Forwarded-Host: {host}"),
            ];
            let client = client(&x().and_host(), Some("10.0.0.1"), &lines);
            let found = format!("{} {}", client.scheme(), client.authority());
            assert_eq!(found, wanted, "{lines:?}");
        }
    }

    #[test]
    fn forwarded_is_read_by_rfc_7239_and_walked_from_the_right() {
        for (values, wanted) in [
            (&[][..], "10.0.0.1 http backend:8000"),
            (&[""], "10.0.0.1 http backend:8000"),
            (&["for=203.0.113.7"], "203.0.113.7 http backend:8000"),
            (&["For=\"203.0.113.7:4711\";PROTO=https"], "203.0.113.7 https backend:8000"),
            (&["for=\"[2001:db8:cafe::17]:4711\""], "2001:db8:cafe::17 http backend:8000"),
            (&["for=\"203.0.113.7:_a.b-c\""], "203.0.113.7 http backend:8000"),
            (&["for=203.0.113.7;proto=https;host=\"a:8\";by=_x"], "203.0.113.7 https a:8"),
            (&["for=\"203.\\0.113.7\";;proto=https;"], "203.0.113.7 https backend:8000"),
            (&["for=203.0.113.7; proto=https"], "203.0.113.7 https backend:8000"),
            (&["for=2001:db8::7"], "2001:db8::7 http backend:8000"),
            (&["for=1.1.1.1;host=x, for=203.0.113.7;host=a"], "203.0.113.7 http a"),
            (&["for=1.1.1.1;host=x", "for=203.0.113.7;host=a", ","], "203.0.113.7 http a"),
            (&["for=203.0.113.7;proto=https;host=a, for=10.0.0.5;host=b"], "203.0.113.7 https a"),
            (&["for=203.0.113.7, for=10.0.0.5;proto=https;host=b"], "203.0.113.7 https b"),
            (&["for=10.0.0.7;host=a, for=10.0.0.5"], "10.0.0.7 http a"),
            // Commas, semicolons and quotes inside of quotes.
            (&["for=203.0.113.7;x=\"a, for=1.1.1.1;\\\"b\";host=a"], "203.0.113.7 http a"),
            (
                &["for=203.0.113.7;x=\"\\\\\", for=10.0.0.5;y=\"\\\"\""],
                "203.0.113.7 http backend:8000",
            ),
            // Known to be unknown: what else the hop said counts.
            (&["for=1.1.1.1, for=unknown;proto=https"], "10.0.0.1 https backend:8000"),
            (&["for=1.1.1.1, for=_hidden;host=a, for=10.0.0.5"], "10.0.0.5 http a"),
            (&["for=1.1.1.1, proto=https"], "10.0.0.1 https backend:8000"),
            // Malformed: nothing of it counts.
            (&["for=1.1.1.1;for=1.1.1.1;proto=https"], "10.0.0.1 http backend:8000"),
            (&["for=1.1.1.1;proto=https;x"], "10.0.0.1 http backend:8000"),
            (&["for=1.1.1.1;proto=\"https"], "10.0.0.1 http backend:8000"),
            (&["for=1.1.1.1;proto=https;x=a\"b\""], "10.0.0.1 http backend:8000"),
            (&["for=1.1.1.1, 203.0.113.7"], "10.0.0.1 http backend:8000"),
            (&["for=1.1.1.1;proto=https, \", for=10.0.0.5"], "10.0.0.5 http backend:8000"),
            (&["for=\"1.1.1.1, for=203.0.113.7;proto=https"], "203.0.113.7 https backend:8000"),
        ] {
            let lines: Vec<_> = values.iter().map(|v| format!("Forwarded: {v}")).collect();
            let client = client(&forwarded(), Some("10.0.0.1"), &lines);
            assert_eq!(shown(&client), wanted, "{values:?}");
        }
    }

    #[test]
    fn whatever_a_client_sends_the_proxy_that_adds_to_it_is_believed() {
        const FREQUENT: &[u8] = b",,;;==\"\"\\\\for1.2.3.4:[]::_ unknown proto=https\t\xff";
        let mut state = 0x6c6f_6e67_6861_6e64_u64;
        let mut below = move |end: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state >> 33).unwrap() % end
        };
        for round in 0..2_000 {
            let length = if round % 100 == 0 { 10_000 } else { below(24) };
            let sent: Vec<u8> = (0..length).map(|_| FREQUENT[below(FREQUENT.len())]).collect();
            for (proxies, name, added) in [
                (x(), "X-Forwarded-For", "203.0.113.7"),
                (x(), "X-Forwarded-For", "203.0.113.7, 10.0.0.5"),
                (forwarded(), "Forwarded", "for=203.0.113.7"),
                (forwarded(), "Forwarded", "for=203.0.113.7;x=\",\", for=10.0.0.5"),
            ] {
                let name = [name.as_bytes(), b": "].concat();
                let added = added.as_bytes();
                let same_line = [[&name[..], &sent, b", ", added].concat()];
                let next_line = [[&name[..], &sent].concat(), [&name[..], added].concat()];
                for lines in [&same_line[..], &next_line[..]] {
                    let client = client(&proxies, Some("10.0.0.1"), lines);
                    let found = client.address().unwrap().to_string();
                    assert_eq!(found, "203.0.113.7", "{}", lines.concat().escape_ascii());
                }
            }
        }
    }
}
