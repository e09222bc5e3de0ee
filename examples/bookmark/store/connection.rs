//! One connection to Redis: opened, greeted, asked, each by a deadline.
//!
//! A [`Place`] enters, a [`Connection`] leaves; the words of a command enter, its reply leaves. After any
//! error the connection is of no more use: an answer may be under way that belongs to nobody.
//!
//! Before a password is sent, the peer has answered as Redis does: no other server that an address leads
//! to gets to know it. And what is answered to `AUTH` is not repeated, since some peers repeat what
//! they were sent.

use std::fmt;
use std::io::{self, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::place::Place;
use super::resp::{self, NoReply, Reply};

/// What went wrong, and whose business it is.
#[derive(Debug)]
pub(super) enum Trouble {
    /// There was no answer, and there will be none: whether a command had an effect is not known.
    Lost(io::Error),
    /// Redis answered that it cannot at the moment.
    Away(String),
    /// It will not, until somebody mends something.
    Failed(String),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Lost(error)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(error) if error.kind() == io::ErrorKind::TimedOut => {
                f.write_str("no answer in time")
            }
            Self::Lost(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                f.write_str("closed the connection before it answered")
            }
            Self::Lost(error) => error.fmt(f),
            Self::Away(why) | Self::Failed(why) => f.write_str(why),
        }
    }
}

/// A connection that is greeted, signed in and at the right database.
#[derive(Debug)]
pub(super) struct Connection(BufReader<Timed>);

impl Connection {
    pub(super) fn open(place: &Place, deadline: Instant) -> Result<Self, Trouble> {
        let stream = connect(place, deadline)?;
        // A command is one write, and is answered before the next: there is nothing to gather.
        stream.set_nodelay(true)?;
        let mut connection = Self(BufReader::new(Timed { stream, deadline }));
        if place.credentials.is_empty() {
            connection.greet(&[])?;
        } else {
            connection.greet(&["NOAUTH", "NOPERM"])?;
            connection.sign_in(&place.credentials)?;
            // Only now does one that is loading say so. A user may be denied `PING`.
            connection.greet(&["NOPERM"])?;
        }
        if place.database > 0 {
            connection.ask(&[b"SELECT", place.database.to_string().as_bytes()], deadline)?;
        }
        Ok(connection)
    }

    /// Sends a command and reads its reply. An error that Redis answers is no reply.
    pub(super) fn ask(&mut self, words: &[&[u8]], deadline: Instant) -> Result<Reply, Trouble> {
        self.0.get_mut().deadline = deadline;
        match self.exchange(words)? {
            Reply::Error(text) => Err(judged(text)),
            reply => Ok(reply),
        }
    }

    /// Whether it is open and nothing has come that nobody asked for. What Redis closed while it was
    /// kept is noticed here, before a command is sent that could not be sent again.
    pub(super) fn is_quiet(&self) -> bool {
        let stream = &self.0.get_ref().stream;
        let look = || {
            stream.set_nonblocking(true)?;
            let seen = stream.peek(&mut [0]);
            stream.set_nonblocking(false)?;
            seen
        };
        self.0.buffer().is_empty()
            && matches!(look(), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Asks whether Redis is there. Some errors are as good an answer as any.
    fn greet(&mut self, good: &[&str]) -> Result<(), Trouble> {
        match self.exchange(&[b"PING"])? {
            Reply::Simple(pong) if pong == "PONG" => Ok(()),
            Reply::Error(text) if good.contains(&first_word(&text)) => Ok(()),
            Reply::Error(text) => Err(judged(text)),
            _ => Err(Trouble::Failed("no Redis: wanted an answer to PING".to_owned())),
        }
    }

    fn sign_in(&mut self, credentials: &[Vec<u8>]) -> Result<(), Trouble> {
        let mut words: Vec<&[u8]> = vec![b"AUTH"];
        words.extend(credentials.iter().map(Vec::as_slice));
        let why = match self.exchange(&words) {
            Ok(Reply::Simple(ok)) if ok == "OK" => return Ok(()),
            Ok(Reply::Error(text)) if text.starts_with("WRONGPASS ") => {
                "WRONGPASS: wrong user or password"
            }
            Err(lost @ Trouble::Lost(_)) => return Err(lost),
            _ => "it takes no such user or password",
        };
        Err(Trouble::Failed(why.to_owned()))
    }

    fn exchange(&mut self, words: &[&[u8]]) -> Result<Reply, Trouble> {
        self.0.get_mut().write_all(&resp::command(words))?;
        match resp::read(&mut self.0) {
            Ok(reply) if self.0.buffer().is_empty() => Ok(reply),
            Ok(_) => Err(Trouble::Failed("no Redis: more came than was asked for".to_owned())),
            Err(NoReply::Lost(error)) => Err(Trouble::Lost(error)),
            Err(NoReply::Other(why)) => Err(Trouble::Failed(format!("no Redis: {why}"))),
        }
    }
}

/// An error that Redis answers: its first word says of what kind it is.
fn judged(text: String) -> Trouble {
    const PASSING: [&str; 9] = [
        "BUSY",        // a script of somebody's runs too long
        "CLUSTERDOWN", // being mended
        "LOADING",     // has just begun
        "MASTERDOWN",  // a replica that has lost its master
        "MISCONF",     // cannot write to its disk
        "NOREPLICAS",  // has fewer replicas than it wants for a write
        "OOM",         // has no memory for more
        "READONLY",    // has become a replica
        "TRYAGAIN",
    ];
    let full = "ERR max number of clients reached";
    if PASSING.contains(&first_word(&text)) || text.starts_with(full) {
        return Trouble::Away(text);
    }
    Trouble::Failed(text)
}

fn first_word(text: &str) -> &str {
    text.split(' ').next().unwrap_or_default()
}

/// Connects to the first address of the host that takes it.
fn connect(place: &Place, deadline: Instant) -> io::Result<TcpStream> {
    let mut last = io::ErrorKind::NotFound.into();
    for address in addresses(place, deadline)? {
        match TcpStream::connect_timeout(&address, left(deadline)?) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The addresses of the host.
///
/// std's look-up has no deadline, so that of a name gets a thread of its own, which is left behind
/// when time is up: it ends when the system's resolver gives up, after some 10 to 30 seconds. While
/// Redis is away, at most one begins in a second.
fn addresses(place: &Place, deadline: Instant) -> io::Result<Vec<SocketAddr>> {
    if let Ok(ip) = place.host.parse::<IpAddr>() {
        return Ok(vec![(ip, place.port).into()]);
    }
    let host = (place.host.clone(), place.port);
    let (tell, told) = mpsc::sync_channel(1);
    thread::Builder::new().name("look-up".to_owned()).spawn(move || {
        // Nobody listens any more once time is up.
        let _ = tell.send(host.to_socket_addrs().map(Vec::from_iter));
    })?;
    told.recv_timeout(left(deadline)?).unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// The time up to a deadline, which is not over.
fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

/// A stream that fails at a deadline, however much has come by then.
#[derive(Debug)]
struct Timed {
    stream: TcpStream,
    deadline: Instant,
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(left(self.deadline)?))?;
        self.stream.read(buffer).map_err(named)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(left(self.deadline)?))?;
        self.stream.write(bytes).map_err(named)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A timeout by its name: Unix calls it `WouldBlock`.
fn named(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut.into(),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::super::peer::{Peer, Script, Talk, script};
    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    /// Opens a connection to a peer that does this.
    fn open(
        credentials: &[&str],
        does: impl FnOnce(&mut Talk) + Send + 'static,
    ) -> Result<Connection, Trouble> {
        let peer = Peer::new([script(does) as Script]);
        let mut place = peer.place.clone();
        place.credentials = credentials.iter().map(|word| word.as_bytes().to_vec()).collect();
        let opened = Connection::open(&place, soon());
        peer.end();
        opened
    }

    #[test]
    fn it_is_greeted_signed_in_and_at_the_right_database() {
        let peer = Peer::new([script(|talk| {
            talk.expect(&["PING"]).say("-NOAUTH Authentication required.\r\n");
            talk.expect(&["AUTH", "me", "secret"]).say("+OK\r\n").greet();
            talk.expect(&["SELECT", "3"]).say("+OK\r\n").expect(&["GET", "a"]).say("$-1\r\n");
        })]);
        let mut place = peer.place.clone();
        (place.credentials, place.database) = (vec![b"me".to_vec(), b"secret".to_vec()], 3);
        let mut connection = Connection::open(&place, soon()).unwrap();
        assert_eq!(connection.ask(&[b"GET", b"a"], soon()).unwrap(), Reply::Null);
        peer.end();
    }

    #[test]
    fn one_that_wants_a_password_says_so() {
        let refused = open(&[], |talk| {
            talk.expect(&["PING"]).say("-NOAUTH Authentication required.\r\n");
        });
        let Err(Trouble::Failed(why)) = refused else { panic!("{refused:?}") };
        assert_eq!(why, "NOAUTH Authentication required.");
    }

    #[test]
    fn a_password_is_never_repeated() {
        for answer in [
            "-WRONGPASS invalid username-password pair, not `secret`\r\n",
            "-ERR unknown command 'AUTH', with args beginning with: 'secret'\r\n",
            "-secret\r\n",
            "+secret\r\n",
            "secret\r\n",
        ] {
            let refused = open(&["secret"], move |talk| {
                talk.expect(&["PING"]).say("-NOAUTH\r\n").expect(&["AUTH", "secret"]).say(answer);
            });
            let Err(Trouble::Failed(why)) = refused else { panic!("{answer}: {refused:?}") };
            assert!(!why.contains("secret"), "{why}");
        }
    }

    #[test]
    fn a_peer_that_is_no_redis_gets_no_password() {
        for (answer, wanted) in [
            (
                "HTTP/1.1 400 Bad Request\r\n\r\n",
                "no Redis: wanted a reply of Redis, found `HTTP/1.1 400",
            ),
            ("*1\r\n$4\r\nPING\r\n", "no Redis: wanted an answer to PING"),
            ("+PONG\r\n+PONG\r\n", "no Redis: more came than was asked for"),
        ] {
            let refused = open(&["secret"], move |talk| {
                talk.expect(&["PING"]).say(answer);
                assert!(talk.command().is_empty());
            });
            let Err(Trouble::Failed(why)) = refused else { panic!("{answer}: {refused:?}") };
            assert!(why.starts_with(wanted), "{why}");
        }
    }

    #[test]
    fn one_that_loads_says_so_after_the_password() {
        let away = open(&["secret"], |talk| {
            talk.expect(&["PING"]).say("-NOAUTH\r\n").expect(&["AUTH"]).say("+OK\r\n");
            talk.expect(&["PING"]).say("-LOADING Redis is loading\r\n");
        });
        assert!(matches!(&away, Err(Trouble::Away(why)) if why.starts_with("LOADING")), "{away:?}");
    }

    #[test]
    fn errors_are_told_apart_by_their_first_word() {
        for (text, is_away) in [
            ("LOADING Redis is loading the dataset in memory", true),
            ("READONLY You can't write against a read only replica.", true),
            ("OOM command not allowed when used memory > 'maxmemory'.", true),
            ("MASTERDOWN Link with MASTER is down", true),
            ("CLUSTERDOWN The cluster is down", true),
            ("BUSY Redis is busy running a script.", true),
            ("ERR max number of clients reached", true),
            ("WRONGPASS invalid username-password pair", false),
            ("NOAUTH Authentication required.", false),
            ("NOPERM this user has no permissions", false),
            ("WRONGTYPE Operation against a key holding the wrong kind of value", false),
            ("ERR DB index is out of range", false),
            ("", false),
        ] {
            let judged = judged(text.to_owned());
            assert_eq!(matches!(judged, Trouble::Away(_)), is_away, "{text}: {judged:?}");
            assert_eq!(judged.to_string(), text);
        }
    }

    #[test]
    fn an_answer_in_pieces_is_one_answer() {
        let peer = Peer::new([script(|talk| {
            talk.greet().expect(&["GET"]);
            "$5\r\na\r\nbc\r\n".chars().for_each(|letter| {
                talk.say(&letter.to_string());
            });
        })]);
        let mut connection = Connection::open(&peer.place, soon()).unwrap();
        let reply = connection.ask(&[b"GET", b"a"], soon()).unwrap();
        assert_eq!(reply, Reply::Bulk(b"a\r\nbc".to_vec()));
        peer.end();
    }

    #[test]
    fn a_peer_that_is_slow_or_never_ends_is_left_at_the_deadline() {
        let never = |talk: &mut Talk| assert!(talk.command().is_empty());
        // One that sends on and on: something always comes before time is up.
        let drips = |talk: &mut Talk| {
            talk.say("$9000000\r\n");
            while talk.try_say("x") {}
        };
        let scripts: [fn(&mut Talk); 2] = [never, drips];
        for waits in scripts {
            let peer = Peer::new([script(move |talk| waits(talk.greet().expect(&["GET"])))]);
            let mut connection = Connection::open(&peer.place, soon()).unwrap();
            let deadline = Instant::now() + Duration::from_millis(20);
            let late = connection.ask(&[b"GET", b"a"], deadline).unwrap_err();
            assert_eq!(late.to_string(), "no answer in time");
            assert!(Instant::now() >= deadline);
            drop(connection);
            peer.end();
        }
    }

    #[test]
    fn names_are_looked_up() {
        let peer = Peer::new([script(|talk| {
            talk.greet();
        })]);
        let mut place = peer.place.clone();
        // It has two addresses on most machines, of which only one is listened on.
        place.host = "localhost".to_owned();
        Connection::open(&place, soon()).unwrap();
        peer.end();
    }
}
