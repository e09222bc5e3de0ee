//! Does a URI answer? One GET, at most 5 seconds, and only to places that visitors could reach too.
//!
//! A URI enters, an [`Outcome`] leaves. Whoever lets strangers name URIs to fetch has built a way
//! into their own network (server-side request forgery), so `gate.rs` decides where it connects.
//! Redirects are followed here and not by ureq: each hop goes through `rules.rs` and the look-up
//! like the first, and no body is read, not even that of a redirect. Environment proxies are
//! ignored: they would choose the address.
//!
//! To the outside an answer other than 200 is told, since visitors could get it too. All other failures
//! are one: nobody there, refused, too slow, not public. Which it was is for the log: told to the one
//! who asked, it would map the network behind this server.
//!
//! At most [`PLACES`] checks run at once, and nothing that the store or a connection waits for is
//! held meanwhile: a check may well ask this very server, which answers it on another thread.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use longhand_kit::origin::Origin;
use ureq::Agent;
use ureq::http::{StatusCode, header};
use ureq::unversioned::transport::DefaultConnector;

use crate::address::own;
use crate::gate::{Gate, Private};
use crate::places::Places;
use crate::rules::Uri;
use crate::trouble::log;

/// For everything together: look-ups, connections, redirects, the final head.
const TIME: Duration = Duration::from_secs(5);

/// For a place. Its wait is not taken from the time for an answer, which somebody else would be blamed for.
const WAIT: Duration = Duration::from_secs(2);

/// Checks at the same time.
const PLACES: usize = 8;

/// Redirects that are followed.
const REDIRECTS: usize = 5;

/// Bytes of one response head.
const HEAD: usize = 16 * 1024;

/// What a check found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The last answer was a 200.
    Answered,
    /// Anything else; the reason is for the log, and to the one who asked less is [`Told`].
    Failed(String, Told),
    /// It was not tried: all places were taken all the time, or the system had no descriptor or no
    /// thread for it.
    Busy,
}

/// What the one who asked may know of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// There was an answer, from where visitors get one too, with this status.
    Status(u16),
    /// More redirects than are followed.
    Redirects,
    /// No more than that it failed.
    Nothing,
}

/// Checks URIs for one server. Shared by reference among the connections' threads.
#[derive(Debug)]
pub(crate) struct Checker {
    private: Private,
    base: Option<Origin>,
    listens: Option<IpAddr>,
    places: Places,
}

impl Checker {
    /// `base` is the address that a proxy in front gives to this server, if there is one; `listens` is
    /// where this server itself listens.
    pub(crate) fn new(private: Private, base: Option<Origin>, listens: Option<IpAddr>) -> Self {
        Self { private, base, listens, places: Places::new(PLACES) }
    }

    /// Where this server itself listens.
    pub(crate) fn listens(&self) -> Option<IpAddr> {
        self.listens
    }

    /// Checks a URI for a request that reached this server at `local`.
    pub(crate) fn check(&self, uri: &Uri, local: Option<SocketAddr>) -> Outcome {
        self.check_within(WAIT, TIME, uri, local)
    }

    fn check_within(
        &self,
        wait: Duration,
        time: Duration,
        uri: &Uri,
        local: Option<SocketAddr>,
    ) -> Outcome {
        let place = self.places.take(Instant::now() + wait);
        let Some(_place) = place else { return Outcome::Busy };
        let deadline = Instant::now() + time;
        let mut uri = uri.clone();
        for _ in 0..=REDIRECTS {
            uri = match self.ask(deadline, &uri, local) {
                Ok(Answer::Ok) => return Outcome::Answered,
                Ok(Answer::Redirect(next)) => next,
                Ok(Answer::Other(status)) => {
                    let reason = format!("{}: wanted the status 200, found {status}", uri.as_str());
                    return Outcome::Failed(reason, Told::Status(status));
                }
                Err(Fault::Own(error)) => {
                    log(&format!("{}: not checked: {error}", uri.as_str()));
                    return Outcome::Busy;
                }
                Err(Fault::Theirs(reason)) => {
                    let reason = format!("{}: {reason}", uri.as_str());
                    return Outcome::Failed(reason, Told::Nothing);
                }
            };
        }
        let reason = format!("{}: more than {REDIRECTS} redirects", uri.as_str());
        Outcome::Failed(reason, Told::Redirects)
    }

    /// One request.
    fn ask(
        &self,
        deadline: Instant,
        uri: &Uri,
        local: Option<SocketAddr>,
    ) -> Result<Answer, Fault> {
        let gate = Gate {
            private: self.private,
            origin: uri.origin().clone(),
            is_base: self.base.as_ref() == Some(uri.origin()),
            own: own(local, self.listens),
        };
        let config = Agent::config_builder()
            .proxy(None)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_response_header_size(HEAD)
            .input_buffer_size(HEAD)
            .max_idle_connections(0)
            .timeout_global(Some(deadline.saturating_duration_since(Instant::now())))
            .user_agent(concat!("longhand-bookmark/", env!("CARGO_PKG_VERSION")))
            .build();
        let agent = Agent::with_parts(config, DefaultConnector::new(), gate);
        // The body stays unread: dropping the response closes the connection.
        let response = agent.get(uri.asked()).call().map_err(Fault::of)?;
        match response.status() {
            StatusCode::OK => Ok(Answer::Ok),
            StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT => {
                let location = response.headers().get(header::LOCATION);
                let location =
                    location.ok_or_else(|| Fault::theirs("a redirect without Location"))?;
                let location = str::from_utf8(location.as_bytes()).map_err(Fault::theirs)?;
                let next = uri.join(location).map_err(Fault::theirs)?;
                Ok(Answer::Redirect(next))
            }
            status => Ok(Answer::Other(status.as_u16())),
        }
    }
}

enum Answer {
    Ok,
    Redirect(Uri),
    Other(u16),
}

/// Whose fault it is that there was no answer.
enum Fault {
    /// This system's, which had no descriptor or no thread to ask with.
    Own(ureq::Error),
    Theirs(String),
}

impl Fault {
    fn of(error: ureq::Error) -> Self {
        match &error {
            ureq::Error::Io(short) if is_short(short) => Self::Own(error),
            _ => Self::theirs(error),
        }
    }

    fn theirs(reason: impl ToString) -> Self {
        Self::Theirs(reason.to_string())
    }
}

/// Out of descriptors, this process or the system, or of threads.
fn is_short(error: &io::Error) -> bool {
    setup::is_out_of_descriptors(error) || error.kind() == io::ErrorKind::OutOfMemory
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;
    use std::sync::{Arc, Mutex, OnceLock};
    use std::thread;

    /// A server with a thread for each connection; it counts them.
    fn serve(
        handle: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static,
    ) -> (SocketAddr, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let count = Arc::new(AtomicUsize::new(0));
        let (counter, handle) = (Arc::clone(&count), Arc::new(handle));
        thread::spawn(move || {
            for stream in listener.incoming() {
                counter.fetch_add(1, Ordering::SeqCst);
                let (mut stream, handle) = (stream.unwrap(), Arc::clone(&handle));
                thread::spawn(move || {
                    let lines = BufReader::new(&stream).lines().map_while(Result::ok);
                    let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
                    let path = head.first().and_then(|line| line.split(' ').nth(1)).unwrap_or("");
                    handle(path, &mut stream);
                });
            }
        });
        (address, count)
    }

    fn answer(stream: &mut TcpStream, status: &str, field: &str) {
        let head = format!("HTTP/1.1 {status}\r\n{field}\r\nContent-Length: 0\r\n\r\n");
        let _ = stream.write_all(head.as_bytes());
    }

    fn uri(address: SocketAddr, path: &str) -> Uri {
        Uri::parse(&format!("http://{address}{path}")).unwrap()
    }

    fn check(private: Private, uri: &Uri, local: &str) -> Outcome {
        Checker::new(private, None, None).check(uri, Some(local.parse().unwrap()))
    }

    fn reason(outcome: Outcome) -> String {
        let Outcome::Failed(reason, _) = outcome else {
            panic!("wanted a failure, found {outcome:?}")
        };
        reason
    }

    #[test]
    fn only_200_is_an_answer() {
        let (address, _) = serve(|path, stream| answer(stream, &path[1..], "X: y"));
        for (status, expected) in [
            ("200", true),
            ("201", false),
            ("204", false),
            ("300", false),
            ("304", false),
            ("404", false),
            ("500", false),
            ("999", false),
        ] {
            let outcome = check(Private::Allow, &uri(address, &format!("/{status}")), "0.0.0.0:1");
            assert_eq!(outcome == Outcome::Answered, expected, "{status}: {outcome:?}");
        }
    }

    #[test]
    fn five_redirects_are_followed_and_a_loop_ends() {
        let (address, count) = serve(|path, stream| match path.strip_prefix("/count/") {
            Some("0") => answer(stream, "200 OK", "X: y"),
            Some(left) => {
                let left = left.parse::<u32>().unwrap() - 1;
                answer(stream, "303 See Other", &format!("Location: ../count/./{left}"));
            }
            None => answer(stream, "307 Again", "Location: "),
        });
        let local = address.to_string();
        assert_eq!(check(Private::Own, &uri(address, "/count/5"), &local), Outcome::Answered);
        assert_eq!(count.swap(0, Ordering::SeqCst), 6);
        let failed = reason(check(Private::Own, &uri(address, "/count/6"), &local));
        assert!(failed.ends_with("more than 5 redirects"), "{failed}");
        assert_eq!(count.swap(0, Ordering::SeqCst), 6);
        reason(check(Private::Own, &uri(address, "/loop"), &local));
        assert_eq!(count.load(Ordering::SeqCst), 6);
    }

    #[test]
    fn each_hop_of_a_redirect_is_judged() {
        let (private, reached) = serve(|_, stream| answer(stream, "200 OK", "X: y"));
        let targets = [
            format!("http://{private}/"),
            format!("//localhost:{}/", private.port()),
            format!("http://user@{private}/"),
            "http://169.254.169.254/latest/meta-data/".to_owned(),
            "http://10.0.0.1/".to_owned(),
            "javascript:alert(1)".to_owned(),
            "file:///etc/passwd".to_owned(),
            "gopher://example.org/".to_owned(),
            "/a b".to_owned(),
        ];
        let count = targets.len();
        let (address, _) = serve(move |path, stream| {
            let target = &targets[path[1..].parse::<usize>().unwrap()];
            answer(stream, "302 Found", &format!("Location: {target}"));
        });
        for number in 0..count {
            let uri = uri(address, &format!("/{number}"));
            reason(check(Private::Own, &uri, &address.to_string()));
        }
        assert_eq!(reached.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn private_addresses_are_refused_however_they_are_spelled() {
        let (address, reached) = serve(|_, stream| answer(stream, "200 OK", "X: y"));
        let port = address.port();
        for host in [
            "127.0.0.1",
            "0.0.0.0",
            "localhost",
            "LOCALHOST",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
        ] {
            let uri = Uri::parse(&format!("http://{host}:{port}/")).unwrap();
            for private in [Private::Own, Private::Deny] {
                // Own port 1: what listens at `port` is somebody else's.
                reason(check(private, &uri, "127.0.0.1:1"));
            }
        }
        // What only a resolver takes for an address is no URI.
        for host in ["127.1", "0177.0.0.1", "2130706433", "017700000001", "0x7f.0.0.1", "0"] {
            assert!(Uri::parse(&format!("http://{host}:{port}/")).is_err(), "{host}");
        }
        assert_eq!(reached.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn what_is_asked_is_what_a_browser_asks_for() {
        let (address, _) = serve(|request, stream| {
            let found = matches!(request, "/b?c=/../d%3C%22%3E" | "/a%60%7Bb%7D?`{%27");
            answer(stream, if found { "200 OK" } else { "404 Not Found" }, "X: y");
        });
        for path in [
            "/a/../b?c=/../d<\">",
            "/%2E%2e/b?c=/../d<\">#/../e",
            "/./a/.%2e/./b?c=/../d%3C%22>",
            "/a`{b}?`{'",
        ] {
            let uri = Uri::parse(&format!("http://{address}{path}")).unwrap();
            let outcome = check(Private::Allow, &uri, "127.0.0.1:1");
            assert_eq!(outcome, Outcome::Answered, "{path}");
        }
    }

    #[test]
    fn the_base_url_is_own_and_no_other_name_is() {
        let (address, _) = serve(|_, stream| answer(stream, "200 OK", "X: y"));
        let base = Origin::parse(&format!("http://localhost:{}", address.port())).unwrap();
        let checker = Checker::new(Private::Own, Some(base), None);
        let named = Uri::parse(&format!("http://LOCALHOST:{}/x", address.port())).unwrap();
        assert_eq!(checker.check(&named, None), Outcome::Answered);
        reason(checker.check(&uri(address, "/x"), None));
    }

    #[test]
    fn sixty_four_bookmarks_of_this_server_at_once_all_end() {
        let checker = Arc::new(Checker::new(Private::Own, None, None));
        let own = Arc::new(OnceLock::<SocketAddr>::new());
        let (shared, known) = (Arc::clone(&checker), Arc::clone(&own));
        let (address, _) = serve(move |path, stream| {
            let local = *known.wait();
            let outcome = match path {
                "/save" => shared.check(&uri(local, "/"), Some(local)),
                _ => Outcome::Answered,
            };
            answer(stream, "200 OK", &format!("X: {outcome:?}"));
        });
        own.set(address).unwrap();
        let clients: Vec<_> = (0..64)
            .map(|_| {
                thread::spawn(move || {
                    let mut stream = TcpStream::connect(address).unwrap();
                    stream.write_all(b"GET /save HTTP/1.1\r\n\r\n").unwrap();
                    let mut text = String::new();
                    stream.read_to_string(&mut text).unwrap();
                    text
                })
            })
            .collect();
        for client in clients {
            let text = client.join().unwrap();
            assert!(text.contains("X: Answered"), "{text}");
        }
        assert_eq!(*checker.places.free(), PLACES);
    }

    #[test]
    fn a_ninth_check_is_busy_when_no_place_gets_free_in_time() {
        let (arrived, arrivals) = mpsc::channel();
        let (go, held) = mpsc::channel::<()>();
        let held = Mutex::new(held);
        let (address, count) = serve(move |_, stream| {
            arrived.send(()).unwrap();
            let _ = held.lock().unwrap().recv();
            answer(stream, "200 OK", "X: y");
        });
        let checker = Checker::new(Private::Allow, None, None);
        thread::scope(|scope| {
            let checks: Vec<_> = (0..PLACES)
                .map(|_| scope.spawn(|| checker.check(&uri(address, "/"), None)))
                .collect();
            arrivals.iter().take(PLACES).for_each(drop);
            let soon = Duration::from_millis(20);
            let ninth = checker.check_within(soon, TIME, &uri(address, "/"), None);
            assert_eq!(ninth, Outcome::Busy);
            assert_eq!(count.load(Ordering::SeqCst), PLACES, "the ninth did not connect");
            drop(go);
            for check in checks {
                assert_eq!(check.join().unwrap(), Outcome::Answered);
            }
        });
        assert_eq!(checker.check(&uri(address, "/"), None), Outcome::Answered);
    }

    #[test]
    fn time_is_up_wherever_it_is_spent() {
        let (address, _) = serve(|path, stream| {
            match path {
                // A byte at a time: each read succeeds, the whole never ends.
                "/drip" => while stream.write_all(b"H").is_ok() && pause() {},
                "/interim" => {
                    while stream.write_all(b"HTTP/1.1 103 Wait\r\n\r\n").is_ok() && pause() {}
                }
                "/silent" => while pause() {},
                // A redirect whose body never ends.
                _ => {
                    let head = format!("HTTP/1.1 302 Found\r\nLocation: {path}x\r\n");
                    let _ = write!(stream, "{head}Transfer-Encoding: chunked\r\n\r\n");
                    while stream.write_all(b"1\r\nx\r\n").is_ok() && pause() {}
                }
            }
        });
        let checker = Checker::new(Private::Allow, None, None);
        let https = Uri::parse(&format!("https://{address}/")).unwrap();
        let slow = ["/drip", "/interim", "/silent"].map(|path| uri(address, path));
        for uri in [&slow[0], &slow[1], &slow[2], &https] {
            let start = Instant::now();
            reason(checker.check_within(WAIT, Duration::from_millis(200), uri, None));
            assert!(
                start.elapsed() < Duration::from_secs(2),
                "{}: {:?}",
                uri.as_str(),
                start.elapsed()
            );
        }
        let start = Instant::now();
        let failed = reason(checker.check(&uri(address, "/redirect"), None));
        assert!(failed.ends_with("more than 5 redirects"), "{failed}");
        assert!(start.elapsed() < Duration::from_secs(2));
    }

    /// Waits a moment without sleeping; gives the test's servers an end of their own.
    fn pause() -> bool {
        let (_sender, nothing) = mpsc::channel::<()>();
        static BEGIN: OnceLock<Instant> = OnceLock::new();
        let _ = nothing.recv_timeout(Duration::from_millis(5));
        BEGIN.get_or_init(Instant::now).elapsed() < Duration::from_secs(30)
    }

    #[test]
    fn a_head_beyond_16_kib_fails_and_a_body_is_not_read() {
        let written = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&written);
        let (done, end) = mpsc::channel();
        let (address, _) = serve(move |path, stream| match path {
            "/head" => {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
                let field = format!("X: {}\r\n", "y".repeat(1000));
                let fields = field.repeat(17) + "\r\n";
                let _ = stream.write_all(fields.as_bytes());
            }
            _ => {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
                let block = [b'x'; 64 * 1024];
                for _ in 0..1_000_000_000 / block.len() {
                    if stream.write_all(&block).is_err() {
                        break;
                    }
                    counter.fetch_add(block.len(), Ordering::SeqCst);
                }
                done.send(()).unwrap();
            }
        });
        reason(check(Private::Allow, &uri(address, "/head"), "127.0.0.1:1"));
        let outcome = check(Private::Allow, &uri(address, "/body"), "127.0.0.1:1");
        assert_eq!(outcome, Outcome::Answered);
        end.recv().unwrap();
        // What fits into the buffers of two sockets.
        assert!(written.load(Ordering::SeqCst) < 64 * 1024 * 1024);
    }

    #[test]
    fn nonsense_from_the_other_side_is_a_failure() {
        let (address, _) = serve(|path, stream| {
            let _ = stream.write_all(match path {
                "/nothing" => b"",
                "/text" => b"hello\r\n\r\n",
                "/half" => b"HTTP/1.1 200 OK\r\nConte",
                "/where" => b"HTTP/1.1 302 Found\r\n\r\n",
                _ => b"HTTP/1.1 302 Found\r\nLocation: /\xff\r\n\r\n".as_slice(),
            });
        });
        for path in ["/nothing", "/text", "/half", "/where", "/bytes"] {
            reason(check(Private::Allow, &uri(address, path), "127.0.0.1:1"));
        }
        let https = Uri::parse(&format!("https://{address}/text")).unwrap();
        reason(check(Private::Allow, &https, "127.0.0.1:1"));
    }

    #[test]
    fn the_setting_has_three_words() {
        assert_eq!("own".parse(), Ok(Private::Own));
        assert_eq!("allow".parse(), Ok(Private::Allow));
        assert_eq!("deny".parse(), Ok(Private::Deny));
        let wrong = "Yes".parse::<Private>().unwrap_err();
        assert_eq!(wrong, "wanted `allow`, `own` or `deny`, found `Yes`");
    }
}
