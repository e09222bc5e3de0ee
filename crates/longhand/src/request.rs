//! A request as its handler sees it.
//!
//! The head is borrowed from the connection's buffer: reading a request allocates nothing. What the
//! server itself knows (the peer, whether the connection is secure, facts that a program adds) is
//! never stored among the fields, where a client could have put it.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::time::{Instant, SystemTime};

use crate::body::Body;
use crate::facts::Facts;
use crate::wire::{Fields, RequestHead, Target, Version, percent_decode};

/// Whether the connection goes on after this exchange (RFC 9112 section 9.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// Another request may follow.
    Persist,
    /// The connection closes after the response.
    Close,
}

/// One request. `'c` is the life of the connection's buffer: what the accessors return may be held
/// while the body is read.
///
/// ```
/// # use longhand::{Request, Response};
/// fn upload(request: &mut Request<'_>) -> std::io::Result<Response> {
///     let name = request.path();            // borrowed from the buffer,
///     let body = request.body().read_all()?; // and still there after the body was read
///     Ok(Response::text(format!("{name}: {} bytes\n", body.len())))
/// }
/// ```
#[derive(Debug)]
pub struct Request<'c> {
    head: &'c RequestHead<'c>,
    body: Body<'c>,
    persistence: Persistence,
    pub(crate) facts: Facts,
}

impl<'c> Request<'c> {
    pub(crate) fn new(head: &'c RequestHead<'c>, body: Body<'c>, persistence: Persistence) -> Self {
        Self { head, body, persistence, facts: Facts::default() }
    }

    /// The method as it was sent: `GET`. Methods are case-sensitive.
    #[must_use]
    pub fn method(&self) -> &'c str {
        self.head.method
    }

    /// The request-target in its form.
    #[must_use]
    pub fn target(&self) -> Target<'c> {
        self.head.target
    }

    /// The path, still percent-encoded: `/` and what follows, without the query. `*` for
    /// `OPTIONS *`.
    #[must_use]
    pub fn path(&self) -> &'c str {
        self.head.target.path()
    }

    /// The path with its escapes undone, once: any bytes. `/a%2Fb` and `/a/b` become the same, so what
    /// tells segments apart by their slashes goes by [`path`](Self::path).
    #[must_use]
    pub fn decoded_path(&self) -> Cow<'c, [u8]> {
        let path = self.path();
        if !path.contains('%') {
            return Cow::Borrowed(path.as_bytes());
        }
        // No head with a broken escape in its path gets here.
        percent_decode(path).map_or(Cow::Borrowed(path.as_bytes()), Cow::Owned)
    }

    /// What follows the first `?` of the target, still percent-encoded.
    #[must_use]
    pub fn query(&self) -> Option<&'c str> {
        self.head.target.query()
    }

    /// HTTP/1.0 or HTTP/1.1.
    #[must_use]
    pub fn version(&self) -> Version {
        self.head.version
    }

    /// Host and port the request is meant for: those of an absolute target, else of the Host field;
    /// empty where HTTP/1.0 sent neither. Its grammar is checked, its truth is not.
    #[must_use]
    pub fn authority(&self) -> &'c str {
        self.head.authority
    }

    /// The value of the first field line of this name, in any case.
    #[doc(alias = "header")]
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'c [u8]> {
        self.head.fields.get(name)
    }

    /// The value of the first field line of this name, if it is text.
    #[doc(alias = "header")]
    #[must_use]
    pub fn field_text(&self, name: &str) -> Option<&'c str> {
        self.head.fields.text(name)
    }

    /// All field lines.
    #[doc(alias = "headers")]
    #[must_use]
    pub fn fields(&self) -> Fields<'c> {
        self.head.fields
    }

    /// The whole head.
    #[must_use]
    pub fn head(&self) -> RequestHead<'c> {
        *self.head
    }

    /// The body. Without one, it reads as empty.
    pub fn body(&mut self) -> &mut Body<'c> {
        &mut self.body
    }

    /// The trailer section of a chunked body: empty until the body was read to its end. Trailers are
    /// the client's to choose and are kept apart from the fields (RFC 9110 section 6.5.1).
    #[must_use]
    pub fn trailers(&self) -> Fields<'_> {
        self.body.trailers()
    }

    /// The address of the peer: the client, or the proxy in front. `None` over a Unix socket.
    #[must_use]
    pub fn peer(&self) -> Option<SocketAddr> {
        self.body.source().peer()
    }

    /// The address at which the peer reached this server.
    #[must_use]
    pub fn local(&self) -> Option<SocketAddr> {
        self.body.source().local()
    }

    /// The time by the connection's clock, for what runs out: a rate, a delay. It is asked anew at
    /// each call, and under a [scripted peer](crate::transport::Scripted) it is the script's.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.body.source().now()
    }

    /// The time of day by the connection's clock, for what is compared with dates: an expiry, a file.
    #[must_use]
    pub fn wall(&self) -> SystemTime {
        self.body.source().wall()
    }

    /// Whether the connection itself is secure: TLS that ends in this process.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.body.source().is_secure()
    }

    /// Whether the client lets the connection go on. The response may still close it.
    #[must_use]
    pub fn persistence(&self) -> Persistence {
        self.persistence
    }

    /// Keeps a fact beside the request, for those who handle it later: one value of each type. Gives
    /// back the value it replaces.
    ///
    /// ```
    /// # use longhand::{Request, Response};
    /// struct User(String);
    ///
    /// fn greet(request: &mut Request<'_>) -> Response {
    ///     request.set(User("Ada".into()));
    ///     let User(name) = request.get().unwrap();
    ///     Response::text(format!("Hello, {name}\n"))
    /// }
    /// ```
    pub fn set<T: 'static>(&mut self, fact: T) -> Option<T> {
        self.facts.set(fact)
    }

    /// The fact of this type, if one was set.
    #[must_use]
    pub fn get<T: 'static>(&self) -> Option<&T> {
        self.facts.get()
    }
}
