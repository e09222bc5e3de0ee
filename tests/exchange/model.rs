//! Random connections against a model of what each must be answered.
//!
//! A seed makes a sequence of requests of every framing, with handlers that read nothing, some or
//! all of their bodies and answer in every way, cut into pieces anywhere, with pauses between them.
//! The model knows nothing of bytes: it says from the plan alone how many answers there are, in
//! which order and where the connection ends. So no request is answered twice, none is answered
//! without having been made, and nothing that was a body is ever taken for a request.

use std::io::{self, Read, Write};
use std::time::Duration;

use harness::answer::{Answer, Extent};
use harness::random::Random;
use harness::talk::{Talk, talk_of};
use longhand::transport::Scripted;
use longhand::{Limits, Request, Response, Status, Why};

/// How many connections are tried.
const CONNECTIONS: u64 = 3_000;

/// What a body is made of: a request, so that one taken for a request would be answered.
const SMUGGLED: &[u8] = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";

/// The drain of these tests: bodies are shorter and longer.
const DRAIN: u64 = 60;

/// One request, planned.
#[derive(Clone, Debug)]
struct Plan {
    head: bool,
    old: bool,
    connection: &'static str,
    framing: Framing,
    expects: bool,
    body: Vec<u8>,
    /// How many bytes of its body the handler asks for.
    reads: usize,
    answers: Answers,
    /// Where `Some`, the request breaks a rule, and is refused with this status.
    broken: Option<(&'static str, u16)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    None,
    Length,
    Chunked,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answers {
    Bytes,
    Stream,
    NoContent,
    Close,
    Panic,
    Cut,
}

/// What the model says of a connection.
#[derive(Debug)]
struct Expected {
    /// The final answers: status, how much is there of each, and whether it announces a close.
    answers: Vec<(u16, Extent, bool)>,
    /// Whether the last answer ends the connection.
    ended: bool,
}

impl Plan {
    fn random(random: &mut Random) -> Self {
        let old = random.below(5) == 0;
        let framing = match random.below(4) {
            0 | 1 => Framing::None,
            2 if !old => Framing::Chunked,
            _ => Framing::Length,
        };
        let length = if framing == Framing::None { 0 } else { random.below(3 * SMUGGLED.len()) };
        let answers = [
            (Answers::Bytes, 12),
            (Answers::Stream, 5),
            (Answers::NoContent, 3),
            (Answers::Close, 1),
            (Answers::Panic, 1),
            (Answers::Cut, 1),
        ];
        let answers: Vec<_> = answers.iter().flat_map(|(a, times)| vec![*a; *times]).collect();
        let broken = [
            ("Host: again\r\n", 400),
            ("Content-Length: +5\r\n", 400),
            ("Transfer-Encoding: gzip\r\nX: y\r\n", 501),
            ("bad\r\n", 400),
            ("X : y\r\n", 400),
        ];
        let mut plan = Self {
            head: random.below(8) == 0,
            old,
            connection: ["", "", "", "", "close", "keep-alive", "x, keep-alive"][random.below(7)],
            framing,
            expects: random.below(4) == 0,
            body: SMUGGLED.iter().copied().cycle().take(length).collect(),
            reads: [0, 1, 20, length, length + 1, usize::MAX][random.below(6)],
            answers: *random.pick(&answers),
            broken: (random.below(20) == 0).then(|| *random.pick(&broken)),
        };
        if plan.broken.is_some() {
            // What breaks first is the one thing that is broken.
            (plan.framing, plan.body, plan.old) = (Framing::None, Vec::new(), false);
        }
        plan
    }

    fn bytes(&self, number: usize, random: &mut Random) -> Vec<u8> {
        let method = if self.head { "HEAD" } else { "POST" };
        let version = if self.old { "1.0" } else { "1.1" };
        let mut bytes = format!("{method} /{number} HTTP/{version}\r\nHost: x\r\n").into_bytes();
        if let Some((lines, _)) = self.broken {
            bytes.extend_from_slice(lines.as_bytes());
        }
        if !self.connection.is_empty() {
            bytes.extend_from_slice(format!("Connection: {}\r\n", self.connection).as_bytes());
        }
        if self.expects {
            bytes.extend_from_slice(b"Expect: 100-continue\r\n");
        }
        match self.framing {
            Framing::None => bytes.extend_from_slice(b"\r\n"),
            Framing::Length => {
                let length = format!("Content-Length: {}\r\n\r\n", self.body.len());
                bytes.extend_from_slice(length.as_bytes());
                bytes.extend_from_slice(&self.body);
            }
            Framing::Chunked => {
                bytes.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
                let mut rest = &self.body[..];
                while !rest.is_empty() {
                    let (chunk, after) = rest.split_at(1 + random.below(rest.len()));
                    let extension = ["", ";a", ";a=\"b\""][random.below(3)];
                    bytes.extend_from_slice(format!("{:X}{extension}\r\n", chunk.len()).as_bytes());
                    bytes.extend_from_slice(chunk);
                    bytes.extend_from_slice(b"\r\n");
                    rest = after;
                }
                bytes.extend_from_slice(
                    [&b"0\r\n\r\n"[..], b"00\r\nSum: 5\r\n\r\n"][random.below(2)],
                );
            }
        }
        bytes
    }

    /// Whether bytes of the body are left that the server cannot or will not read itself.
    fn leaves_too_much(&self) -> bool {
        let left = self.body.len().saturating_sub(self.reads) as u64;
        let waits = self.expects && !self.old && self.reads == 0;
        match self.framing {
            Framing::None => false,
            Framing::Length => left > 0 && (left > DRAIN || waits),
            // Its end is found only by a read behind its last byte.
            Framing::Chunked => self.reads <= self.body.len(),
        }
    }

    /// The final answer: its status, how much is there, whether it announces a close.
    fn expected(&self) -> (u16, Extent, bool) {
        if let Some((_, status)) = self.broken {
            return (status, Extent::Whole, true);
        }
        let keeps = self.connection.contains("keep-alive");
        let client_ends = self.connection == "close" || (self.old && !keeps);
        let ends = client_ends || self.leaves_too_much();
        match self.answers {
            Answers::Bytes => (200, Extent::Whole, ends),
            Answers::NoContent => (204, Extent::Whole, ends),
            Answers::Close => (200, Extent::Whole, true),
            Answers::Panic => (500, Extent::Whole, true),
            // To HTTP/1.0 a stream ends with the connection; a HEAD says as much.
            Answers::Stream | Answers::Cut if self.head => (200, Extent::Whole, ends || self.old),
            Answers::Stream | Answers::Cut if self.old => (200, Extent::UntilClose, true),
            Answers::Stream => (200, Extent::Whole, ends),
            Answers::Cut => (200, Extent::Cut, ends),
        }
    }

    fn answer(&self, request: &mut Request<'_>) -> io::Result<Response> {
        let number = request.path().to_owned();
        let mut read = vec![0; self.reads.min(1_000)];
        let mut filled = 0;
        while filled < read.len() {
            match request.body().read(&mut read[filled..])? {
                0 => break,
                count => filled += count,
            }
        }
        assert_eq!(read[..filled], self.body[..filled], "the body arrives as it was sent");
        Ok(match self.answers {
            Answers::Bytes => Response::text(number),
            Answers::NoContent => Response::new(Status::NO_CONTENT),
            Answers::Close => Response::text(number).close(),
            Answers::Panic => panic!("planned"),
            Answers::Stream => Response::stream("text/plain", move |out| {
                out.write_all(number.as_bytes())?;
                out.flush()
            }),
            Answers::Cut => Response::stream("text/plain", move |out| {
                out.write_all(number.as_bytes())?;
                out.flush()?;
                Err(io::ErrorKind::Other.into())
            }),
        })
    }
}

fn expected(plans: &[Plan]) -> Expected {
    let mut answers = Vec::new();
    for plan in plans {
        let (status, extent, closes) = plan.expected();
        answers.push((status, extent, closes));
        if closes || extent == Extent::Cut {
            return Expected { answers, ended: true };
        }
    }
    Expected { answers, ended: false }
}

/// The bytes of all requests as a peer that sends them in pieces, with pauses.
fn peer(plans: &[Plan], random: &mut Random) -> Scripted {
    let parts = plans.iter().enumerate().map(|(number, plan)| plan.bytes(number, random));
    let bytes = parts.collect::<Vec<_>>().concat();
    let largest = [1, 3, 50, 400, bytes.len()][random.below(5)];
    let mut peer = Scripted::new();
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(1 + random.below(rest.len().min(largest)));
        peer = peer.send(piece);
        if random.below(4) == 0 {
            peer = peer.wait(Duration::from_millis(1));
        }
        rest = after;
    }
    peer.end()
}

fn check(seed: u64, plans: &[Plan], talk: &Talk) {
    let expected = expected(plans);
    let place = || format!("seed {seed:#x}\n{plans:?}\n{}", talk.peer.output_text());
    let finals: Vec<&Answer> = talk.answers.iter().filter(|answer| answer.status != 100).collect();
    let found = finals.iter().map(|answer| (answer.status, answer.extent, answer.closes()));
    assert_eq!(found.collect::<Vec<_>>(), expected.answers, "{}", place());
    for (number, answer) in finals.iter().enumerate() {
        if answer.status == 200 && !plans[number].head {
            assert_eq!(answer.text(), format!("/{number}"), "order: {}", place());
        }
    }
    assert_eq!(talk.why == Why::PeerClosed, !expected.ended, "{:?} {}", talk.why, place());
    check_interims(plans, &talk.answers, &place);
}

/// That a 100 stands only before the final answer to a request that expects one, and once.
fn check_interims(plans: &[Plan], answers: &[Answer], place: &dyn Fn() -> String) {
    let mut plans = plans.iter();
    let mut asked = 0;
    for answer in answers {
        if answer.status == 100 {
            asked += 1;
            continue;
        }
        let plan = plans.next().expect("as many answers as requests");
        let wanted = plan.broken.is_none()
            && plan.expects
            && !plan.old
            && plan.reads > 0
            && (plan.framing == Framing::Chunked || !plan.body.is_empty());
        assert_eq!(asked, usize::from(wanted), "{plan:?}: {}", place());
        asked = 0;
    }
    assert_eq!(asked, 0, "a 100 without a final answer: {}", place());
}

#[test]
fn random_connections_are_answered_as_the_model_says() {
    let limits = Limits { drain: DRAIN, ..Limits::default() };
    let mut ended = 0;
    for seed in 0..CONNECTIONS {
        let mut random = Random::new(seed << 8);
        let plans: Vec<_> = (0..=random.below(8)).map(|_| Plan::random(&mut random)).collect();
        let methods: Vec<_> = plans.iter().map(|p| if p.head { "HEAD" } else { "POST" }).collect();
        let peer = peer(&plans, &mut random);
        let talk = talk_of(peer, &methods, &limits, |request: &mut Request<'_>| {
            let number = request.path().trim_start_matches('/').parse::<usize>();
            let number = number.expect("a request that was made, and no body taken for one");
            plans[number].answer(request)
        });
        check(seed, &plans, &talk);
        ended += usize::from(expected(&plans).ended);
    }
    let connections = usize::try_from(CONNECTIONS).unwrap_or(usize::MAX);
    assert!((connections / 5..connections).contains(&ended), "{ended} ended early");
}
