//! An access log: one line for each response, in a format that tools read.
//!
//! What a server tells of itself enters; lines leave, each by one write. Everything that a peer has
//! sent is escaped, so that no request can forge a line, a field of one, or what a terminal shows:
//! lines are printable ASCII, in which quotes and backslashes of values are escaped.
//!
//! - [`combined`](Log::combined): Apache's and nginx's format, which most tools read. The error behind a 500
//!   has no place in it: the closure that observes may print that too ([`Answered::error`]).
//! - [`json`](Log::json): an object a line, with more in it: that error, the time taken, the rule broken.
//!
//! Left out on purpose: `Authorization`, `Cookie` and bodies, always; and what follows a `?`, in
//! targets and in `Referer`, unless a program [asks for it](Log::queries). Links that reset a
//! password or sign somebody in carry their secret there, and logs are read by more people than
//! secrets are meant for.
//!
//! ```
//! use longhand::{Request, Response, Server};
//! use longhand_kit::log::{Log, User};
//! use std::fs::{self, OpenOptions};
//!
//! # let path = std::env::temp_dir().join(format!("longhand-kit-access-{}", std::process::id()));
//! let log = Log::combined(OpenOptions::new().create(true).append(true).open(&path)?);
//! let server = Server::bind("127.0.0.1:0")?.observe(move |event| log.observe(event));
//! # let (address, handle) = (server.local_addr()?, server.handle());
//! # std::thread::spawn(move || {
//! #     use std::io::{Read, Write};
//! #     let mut client = std::net::TcpStream::connect(address).unwrap();
//! #     let get = "GET /a?b HTTP/1.1\r\nHost: x\r\nUser-Agent: curl/8.5.0\r\nConnection: close\r\n\r\n";
//! #     client.write_all(get.as_bytes()).unwrap(); client.read_to_end(&mut Vec::new()).unwrap();
//! #     handle.stop();
//! # });
//! server.run(|request: &mut Request<'_>| {
//!     request.set(User("ada".into())); // what a guard has found out
//!     Response::text("hello\n")
//! })?;
//! // 127.0.0.1 - ada [06/Nov/1994:08:49:37 +0000] "GET /a? HTTP/1.1" 200 6 "-" "curl/8.5.0"
//! let line = fs::read_to_string(&path)?;
//! assert!(line.starts_with("127.0.0.1 - ada ["), "{line}");
//! assert!(line.ends_with("] \"GET /a? HTTP/1.1\" 200 6 \"-\" \"curl/8.5.0\"\n"), "{line}");
//! # fs::remove_file(&path)?;
//! # Ok::<(), std::io::Error>(())
//! ```

use std::io::Write;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use longhand::wire::{RequestHead, Version};
use longhand::{Answered, Event};

use crate::forwarded::Proxies;
use crate::router::Matched;

mod escape;

use escape::{bare, clf_time, json, quoted, rfc3339_time};

/// Who asks. Whatever finds it out [sets](longhand::Request::set) it on the request, for its line in
/// the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User(pub String);

/// Writes a line for each response.
///
/// A line is made first and then written at once, under a lock that all connections share. So `out`
/// must not be one that gathers for later; a file is to be opened for appending, so that other
/// processes may write to it or cut it. Where `out` blocks, as a pipe does that nobody reads, all
/// responses wait for it. What cannot be written is [lost](Self::lost), and the server goes on.
#[derive(Debug)]
pub struct Log<W> {
    out: Mutex<Out<W>>,
    format: Format,
    proxies: Proxies,
    queries: bool,
}

#[derive(Debug)]
struct Out<W> {
    to: W,
    /// Whether the last line may have been written in part.
    torn: bool,
    lost: u64,
}

#[derive(Clone, Copy, Debug)]
enum Format {
    Combined,
    Json,
}

impl<W: Write> Log<W> {
    /// A log in the combined format:
    ///
    /// ```text
    /// client - user [time] "request line" status bytes "Referer" "User-Agent"
    /// ```
    ///
    /// Where the head itself was refused, the name of the broken rule stands for the request line: one
    /// word, which no request line is. The client is the peer then, since nothing it sent counts.
    pub fn combined(out: W) -> Self {
        Self::new(out, Format::Combined)
    }

    /// A log of JSON objects. These are always there: `time`, `client`, `status`, `bytes`, `micros`
    /// (the time taken, in millionths of a second). These where there is something to say: `method`,
    /// `target`, `version`, `host`, `route` (the pattern that matched), `user`, `referer`, `agent`,
    /// `violation`, `error`; and `"cut":true` for a response that was not written whole.
    ///
    /// ```
    /// # use longhand::{Request, Response, Server};
    /// use longhand_kit::{forwarded::Proxies, log::Log};
    ///
    /// # let path = std::env::temp_dir().join(format!("longhand-kit-json-{}", std::process::id()));
    /// # let file = std::fs::File::create(&path)?;
    /// let log = Log::json(file).proxies(Proxies::x_forwarded("127.0.0.1")?).queries();
    /// let server = Server::bind("127.0.0.1:0")?.observe(move |event| log.observe(event));
    /// # let (address, handle) = (server.local_addr()?, server.handle());
    /// # std::thread::spawn(move || {
    /// #     use std::io::{Read, Write};
    /// #     let mut proxy = std::net::TcpStream::connect(address).unwrap();
    /// #     let get = "GET /a?b HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.7\r\nConnection: close\r\n\r\n";
    /// #     proxy.write_all(get.as_bytes()).unwrap(); proxy.read_to_end(&mut Vec::new()).unwrap();
    /// #     handle.stop();
    /// # });
    /// server.run(|_: &mut Request<'_>| Response::text("hello\n"))?;
    /// let line = std::fs::read_to_string(&path)?;
    /// assert!(line.contains(r#""client":"203.0.113.7","status":200,"bytes":6,"#), "{line}");
    /// assert!(line.contains(r#""target":"/a?b""#), "{line}");
    /// # std::fs::remove_file(&path)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn json(out: W) -> Self {
        Self::new(out, Format::Json)
    }

    fn new(out: W, format: Format) -> Self {
        let out = Mutex::new(Out { to: out, torn: false, lost: 0 });
        Self { out, format, proxies: Proxies::none(), queries: false }
    }

    /// The same, with the addresses of clients behind these proxies.
    #[must_use]
    pub fn proxies(mut self, proxies: Proxies) -> Self {
        self.proxies = proxies;
        self
    }

    /// The same, with the queries of targets and of `Referer`: for sites that keep no secrets in them.
    #[must_use]
    pub fn queries(mut self) -> Self {
        self.queries = true;
        self
    }

    /// Writes the line of a response; of other events, none.
    pub fn observe(&self, event: &Event<'_>) {
        if let Event::Answered(answered) = event {
            self.write(self.line(answered, SystemTime::now()));
        }
    }

    /// How many lines could not be written: the disk was full, or the reader has gone.
    ///
    /// ```
    /// # use longhand::{Request, Response, Server};
    /// use longhand_kit::log::Log;
    /// # use std::{io::{Read, Write}, net::TcpStream, sync::Arc, thread};
    ///
    /// let no_room: &mut [u8] = &mut [];
    /// let log = Arc::new(Log::combined(no_room));
    /// let logging = Arc::clone(&log);
    /// let server = Server::bind("127.0.0.1:0")?.observe(move |event| logging.observe(event));
    /// # let (address, handle) = (server.local_addr()?, server.handle());
    /// # thread::spawn(move || {
    /// #     let mut client = TcpStream::connect(address).unwrap();
    /// #     client.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap(); client.read_to_end(&mut Vec::new()).unwrap();
    /// #     handle.stop();
    /// # });
    /// server.run(|_: &mut Request<'_>| Response::text("hello\n"))?; // one request
    /// assert_eq!(log.lost(), 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.out().lost
    }

    fn out(&self) -> MutexGuard<'_, Out<W>> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, mut line: String) {
        let mut out = self.out();
        if out.torn {
            // Else what was left of the last line would run into this one.
            line.insert(0, '\n');
        }
        out.torn = out.to.write_all(line.as_bytes()).is_err();
        out.lost += u64::from(out.torn);
    }

    fn line(&self, answered: &Answered<'_>, wall: SystemTime) -> String {
        let since = wall.duration_since(UNIX_EPOCH).unwrap_or_default();
        let fields = answered.head.map(|head| head.fields);
        let client = match fields {
            Some(fields) => self.proxies.address(answered.peer, fields),
            None => answered.peer.map(|peer| peer.ip().to_canonical()),
        };
        match self.format {
            Format::Combined => self.combined_line(answered, client, since),
            Format::Json => self.json_line(answered, client, since),
        }
    }

    fn combined_line(
        &self,
        answered: &Answered<'_>,
        client: Option<IpAddr>,
        since: Duration,
    ) -> String {
        let client = client.map_or("-".to_owned(), |client| client.to_string());
        let user = answered.get::<User>().map_or("-".to_owned(), |user| match user.0.as_str() {
            "" => "-".to_owned(),
            name => bare(name.as_bytes()),
        });
        let request = match (answered.head, answered.violation) {
            (Some(head), _) => {
                let method = quoted(head.method.as_bytes());
                let target = quoted(self.without_query(head.target_text.as_bytes()));
                format!("{method} {target} HTTP/{}", version(head))
            }
            (None, Some(violation)) => violation.name().to_owned(),
            (None, None) => "-".to_owned(),
        };
        let value = |name| answered.head.and_then(|head| head.fields.get(name));
        let referer =
            value("Referer").map_or("-".into(), |value| quoted(self.without_query(value)));
        let agent = value("User-Agent").map_or("-".into(), quoted);
        let (time, status, bytes) = (clf_time(since), answered.status.code(), answered.body);
        format!(
            "{client} - {user} [{time}] \"{request}\" {status} {bytes} \"{referer}\" \"{agent}\"\n"
        )
    }

    fn json_line(
        &self,
        answered: &Answered<'_>,
        client: Option<IpAddr>,
        since: Duration,
    ) -> String {
        let mut line = format!("{{\"time\":\"{}\",\"client\":", rfc3339_time(since));
        match client {
            Some(client) => line += &json(client.to_string().as_bytes()),
            None => line += "null",
        }
        line += &format!(
            ",\"status\":{},\"bytes\":{},\"micros\":{}",
            answered.status.code(),
            answered.body,
            answered.took.as_micros()
        );
        let mut put = |name: &str, value: Option<&[u8]>| {
            if let Some(value) = value {
                line += &format!(",\"{name}\":{}", json(value));
            }
        };
        if let Some(head) = answered.head {
            put("method", Some(head.method.as_bytes()));
            put("target", Some(self.without_query(head.target_text.as_bytes())));
            put("version", Some(version(head).as_bytes()));
            put("host", Some(head.authority.as_bytes()));
            put("referer", head.fields.get("Referer").map(|value| self.without_query(value)));
            put("agent", head.fields.get("User-Agent"));
        }
        let route = answered.get::<Matched>().map(Matched::pattern);
        put("route", route.map(str::as_bytes));
        put("user", answered.get::<User>().map(|user| user.0.as_bytes()));
        put("violation", answered.violation.map(|violation| violation.name().as_bytes()));
        let error = answered.error.map(ToString::to_string);
        put("error", error.as_ref().map(String::as_bytes));
        line + if answered.whole { "}\n" } else { ",\"cut\":true}\n" }
    }

    /// Up to the `?` and with it, so that it can be seen that something was there.
    fn without_query<'v>(&self, uri: &'v [u8]) -> &'v [u8] {
        match uri.iter().position(|&octet| octet == b'?') {
            Some(at) if !self.queries => &uri[..=at],
            _ => uri,
        }
    }
}

fn version(head: &RequestHead<'_>) -> &'static str {
    match head.version {
        Version::Http10 => "1.0",
        Version::Http11 => "1.1",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted_server::serve;
    use longhand::transport::Scripted;
    use longhand::{Request, Response};
    use std::io;
    use std::sync::Arc;

    use crate::router::Router;

    /// The lines for what these clients send, of which `\n` ends the lines.
    fn lines(log: Log<Vec<u8>>, sent: &[&[u8]]) -> Vec<String> {
        let peers = sent.iter().map(|sent| {
            let address = "10.0.0.1:50000".parse().unwrap();
            let sent = sent.split(|&octet| octet == b'\n').collect::<Vec<_>>().join(&b"\r\n"[..]);
            Scripted::new().address(address).send(sent).end()
        });
        let log = Arc::new(log);
        let logging = Arc::clone(&log);
        let wall = UNIX_EPOCH + Duration::from_millis(784_111_777_045);
        let observer = move |event: &Event<'_>| {
            if let Event::Answered(answered) = event {
                logging.write(logging.line(answered, wall));
            }
        };
        serve(peers.collect(), observer, |request: &mut Request<'_>| -> io::Result<Response> {
            match request.path() {
                "/ada" => drop(request.set(User("ada".into()))),
                "/odd" => drop(request.set(User("a \"b\n\\".into()))),
                "/nobody" => drop(request.set(User(String::new()))),
                "/error" => return Err(io::Error::other("disk \"a\"\non fire")),
                "/body" => drop(request.body().read_all()?),
                _ => {}
            }
            Ok(Response::text("hello"))
        });
        let text = String::from_utf8(log.out().to.clone()).unwrap();
        assert!(text.is_empty() || text.ends_with('\n'), "{text}");
        text.lines().map(str::to_owned).collect()
    }

    fn combined(sent: &[u8]) -> String {
        lines(Log::combined(Vec::new()), &[sent]).concat()
    }

    fn json_of(sent: &[u8]) -> String {
        let line = lines(Log::json(Vec::new()), &[sent]).concat();
        // The time is real, and so never the same.
        let (before, after) = line.split_once("\"micros\":").unwrap();
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        assert!(digits > 0, "{line}");
        format!("{before}{}", &after[digits + 1..])
    }

    #[test]
    fn a_combined_line_has_nine_fields_whatever_was_sent() {
        const START: &str = "10.0.0.1 - - [06/Nov/1994:08:49:37 +0000]";
        for (sent, wanted) in [
            (&b"GET / HTTP/1.1\nHost: a\n\n"[..], r#""GET / HTTP/1.1" 200 5 "-" "-""#),
            (b"HEAD / HTTP/1.0\n\n", r#""HEAD / HTTP/1.0" 200 0 "-" "-""#),
            (
                b"GET /a HTTP/1.1\nHost: a\nReferer: http://b/c\nUser-Agent: d/1 (e)\n\n",
                r#""GET /a HTTP/1.1" 200 5 "http://b/c" "d/1 (e)""#,
            ),
            (
                b"GET / HTTP/1.1\nHost: a\nUser-Agent: \" \\\" 200 0 \"\t\xff\xe2\x80\xae\n\n",
                r#""GET / HTTP/1.1" 200 5 "-" "\" \\\" 200 0 \"\x09\xff\xe2\x80\xae""#,
            ),
            (b"GE\"T / HTTP/1.1\nHost: a\n\n", r#""method-octet" 400 N "-" "-""#),
            (b"GET / HTTP/1.1\n\n", r#""host-missing" 400 N "-" "-""#),
            (b"\x16\x03\x01", r#""tls-hello" 400 N "-" "-""#),
            (
                b"POST /body HTTP/1.1\nHost: a\nContent-Length: 9\n\nshort",
                r#""POST /body HTTP/1.1" 400 N "-" "-""#,
            ),
        ] {
            let mut line = combined(sent);
            let refused = line.find("\" 400 ").map(|at| at + 6);
            if let Some(at) = refused {
                // The length of a refusal's text is not this file's.
                let digits = line[at..].bytes().take_while(u8::is_ascii_digit).count();
                line.replace_range(at..at + digits, "N");
            }
            assert_eq!(line, format!("{START} {wanted}"), "{}", sent.escape_ascii());
        }
    }

    #[test]
    fn users_stand_in_their_place_without_blanks() {
        for (path, wanted) in
            [("/ada", "ada"), ("/odd", r#"a\x20\"b\x0a\\"#), ("/nobody", "-"), ("/", "-")]
        {
            let line = combined(format!("GET {path} HTTP/1.1\nHost: a\n\n").as_bytes());
            assert!(line.starts_with(&format!("10.0.0.1 - {wanted} [06/")), "{line}");
        }
    }

    #[test]
    fn a_json_line_says_what_there_is_to_say() {
        let always = r#"{"time":"1994-11-06T08:49:37.045Z","client":"10.0.0.1","status":"#;
        for (sent, wanted) in [
            (
                &b"GET /ada HTTP/1.0\n\n"[..],
                r#"200,"bytes":5,"method":"GET","target":"/ada","version":"1.0","host":"","user":"ada"}"#,
            ),
            (
                b"GET / HTTP/1.1\nHost: a:8\nReferer: \xff\nUser-Agent: \"},{\n\n",
                r#"200,"bytes":5,"method":"GET","target":"/","version":"1.1","host":"a:8","referer":"\ufffd","agent":"\"},{"}"#,
            ),
            (
                b"GET /error HTTP/1.1\nHost: a\n\n",
                r#"500,"bytes":26,"method":"GET","target":"/error","version":"1.1","host":"a","error":"disk \"a\"\u000aon fire"}"#,
            ),
        ] {
            assert_eq!(json_of(sent), format!("{always}{wanted}"), "{}", sent.escape_ascii());
        }
        let refused = json_of(b"GET /\x00 HTTP/1.1\n\n");
        assert!(refused.ends_with(r#","violation":"target-octet"}"#), "{refused}");
        let body = json_of(b"POST /body HTTP/1.1\nHost: a\nContent-Length: 9\n\nshort");
        assert!(body.contains(r#""target":"/body""#), "{body}");
        assert!(body.ends_with(r#","violation":"ended-in-body"}"#), "{body}");
    }

    #[test]
    fn secrets_are_left_out_and_queries_unless_they_are_asked_for() {
        let sent = b"GET /reset?token=s3cret HTTP/1.1\nHost: a\nAuthorization: s3cret\n\
            Cookie: a=s3cret\nReferer: http://a/reset?token=s3cret&b=%3F?\n\n";
        for make in [Log::combined, Log::json] {
            let line = lines(make(Vec::new()), &[sent]).concat();
            assert!(!line.contains("s3cret"), "{line}");
            assert!(line.contains("/reset? HTTP") || line.contains("\"/reset?\""), "{line}");
            let line = lines(make(Vec::new()).queries(), &[sent]).concat();
            assert_eq!(line.matches("token=s3cret").count(), 2, "{line}");
            assert_eq!(line.matches("s3cret").count(), 2, "{line}");
        }
    }

    #[test]
    fn the_client_is_the_one_behind_a_trusted_proxy() {
        let sent = b"GET / HTTP/1.1\nHost: a\nX-Forwarded-For: 1.1.1.1, 203.0.113.7\n\n";
        for (trusted, wanted) in [("10.0.0.0/8", "203.0.113.7"), ("192.0.2.1", "10.0.0.1")] {
            let proxies = Proxies::x_forwarded(trusted).unwrap();
            let line = lines(Log::combined(Vec::new()).proxies(proxies.clone()), &[sent]).concat();
            assert!(line.starts_with(&format!("{wanted} - - [")), "{line}");
            let line = lines(Log::json(Vec::new()).proxies(proxies), &[sent]).concat();
            assert!(line.contains(&format!("\"client\":\"{wanted}\"")), "{line}");
        }
    }

    #[test]
    fn the_route_is_the_pattern_and_not_what_matched_it() {
        let log = Arc::new(Log::json(Vec::new()));
        let logging = Arc::clone(&log);
        let router = Router::new().route("GET /users/{name}", |_| Response::text("hello"));
        let sent = "GET /users/%22ada HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
        let peers = vec![Scripted::new().send(sent).end()];
        serve(peers, move |event| logging.observe(event), |request| router.handle(request));
        let text = String::from_utf8(log.out().to.clone()).unwrap();
        let (matched, other) = text.split_once('\n').unwrap();
        assert!(matched.ends_with(r#","host":"a","route":"GET /users/{name}"}"#), "{matched}");
        assert!(!other.contains("route"), "{other}");
    }

    /// Takes so many bytes in all, then fails once, then takes everything.
    struct Full(Vec<u8>, usize);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.1 == 0 {
                self.1 = usize::MAX;
                return Err(io::ErrorKind::StorageFull.into());
            }
            let taken = bytes.len().min(self.1);
            self.1 = self.1.saturating_sub(taken);
            self.0.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_that_is_lost_does_not_run_into_the_next() {
        let log = Log::combined(Full(Vec::new(), 10));
        for line in ["first\n", "second\n", "third\n", "fourth\n"] {
            log.write(line.to_owned());
        }
        assert_eq!(log.lost(), 1);
        assert_eq!(log.out().to.0, b"first\nseco\nthird\nfourth\n");
    }
}
