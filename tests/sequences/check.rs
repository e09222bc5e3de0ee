//! What must hold of every sequence.

use std::time::Duration;

use harness::answer::{Answer, Extent, answers};
use harness::laws::wire::{message_end, part_bytes};
use longhand::Why;
use longhand::transport::Happened;
use longhand::wire::{Explained, Kind, Parsed, Part, RequestHead, Verdict, explain};

use crate::events::{Act, Deed, limits};
use crate::run::{Call, Failure, Run};

/// A sequence with what came of it.
struct Case<'a> {
    acts: &'a [Act],
    deeds: &'a [Deed],
    run: &'a Run,
    /// All bytes that the peer sends.
    wire: Vec<u8>,
}

/// Everything.
///
/// # Panics
/// If something does not hold.
pub(crate) fn all(acts: &[Act], deeds: &[Deed], run: &Run) {
    let wire = acts.iter().flat_map(|act| act.bytes()).copied().collect();
    let case = Case { acts, deeds, run, wire };
    let messages = case.requests();
    let answers = case.answers(&messages);
    case.check_order(&answers, &messages);
    case.check_end(&answers);
    case.check_writes();
    case.check_waits();
    case.check_clocks(&messages);
    assert_eq!(run.held, 0, "a response is still held: {}", case.place());
    // A reset may come before what was called without it.
    let called = run.calls.len() == deeds.len() || acts.contains(&Act::Reset);
    assert!(called, "a deed for each call: {}", case.place());
}

/// Told when something does not hold, also where another file says so.
impl Drop for Case<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the sequence: {}", self.place());
        }
    }
}

impl Case<'_> {
    fn place(&self) -> String {
        let Self { acts, deeds, run, .. } = self;
        format!("{acts:?} {deeds:?}\n{run:?}")
    }

    /// The requests that lie in the bytes, one for each call, as the parser explains them. Each has what
    /// its call saw; and behind the last but one, each is whole.
    fn requests(&self) -> Vec<Explained> {
        let mut rest = &self.wire[..];
        let mut found = Vec::new();
        for (number, call) in self.run.calls.iter().enumerate() {
            let mut lines = Vec::new();
            let Ok(Parsed::Complete { value: head, .. }) =
                RequestHead::parse(rest, &limits(), &mut lines)
            else {
                panic!("call {number} has no request: {}", self.place());
            };
            assert_eq!(head.target.path(), call.path, "{}", self.place());
            let explained = explain(rest, &limits());
            self.check_body(call, &body(rest, &explained), explained.verdict);
            if number + 1 < self.run.calls.len() {
                assert_eq!(explained.verdict, Verdict::Accepted, "parsed on: {}", self.place());
                rest = &rest[message_end(&explained)..];
            }
            found.push(explained);
        }
        found
    }

    fn check_body(&self, call: &Call, body: &[u8], verdict: Verdict) {
        assert!(body.starts_with(&call.body), "another body: {}", self.place());
        if call.whole {
            assert!(body == call.body && verdict == Verdict::Accepted, "{}", self.place());
        }
        let paused: Duration = self.acts.iter().filter_map(|act| act.pause()).sum();
        match call.failure {
            None => {}
            Some(Failure::Transport) => {
                assert!(self.acts.contains(&Act::Reset), "{}", self.place());
            }
            Some(Failure::Rule(408)) => {
                // Silence at the end of a sequence lasts for ever.
                assert!(
                    paused >= limits().body_grace
                        || !self.acts.last().is_some_and(|act| act.is_last()),
                    "{}",
                    self.place()
                );
            }
            Some(Failure::Rule(status)) => {
                assert!(status == 400 && verdict != Verdict::Accepted, "{}", self.place());
            }
        }
    }

    /// What the peer sent behind these messages.
    fn behind(&self, messages: &[Explained]) -> &[u8] {
        &self.wire[messages.iter().map(message_end).sum()..]
    }

    fn answers(&self, messages: &[Explained]) -> Vec<Answer> {
        let mut methods: Vec<&str> = self.run.calls.iter().map(|call| &call.method[..]).collect();
        // A HEAD that is refused or broken off is answered as one.
        let rest = self.behind(messages);
        let at = explain(rest, &limits()).violation().map_or(rest.len(), |v| v.at());
        if rest[..at].trim_ascii_start().starts_with(b"HEAD ") {
            methods.push("HEAD");
        }
        answers(&self.run.output, &methods)
    }

    /// One answer for each call, in order, and one more at most: a refusal, behind which is nothing.
    fn check_order(&self, answers: &[Answer], messages: &[Explained]) {
        let mut interims = 0;
        let mut calls = self.run.calls.iter().enumerate();
        for (number, answer) in answers.iter().enumerate() {
            if answer.status == 100 {
                interims += 1;
                continue;
            }
            let is_last = number + 1 == answers.len();
            assert!(is_last || !answer.closes(), "an answer behind a close: {}", self.place());
            assert!(is_last || answer.extent == Extent::Whole, "cut: {}", self.place());
            match calls.next() {
                Some((number, call)) => {
                    self.check_answer(number, call, answer, messages);
                    let expects = call.path == "/e" && !matches!(call.deed, Deed::None);
                    assert!(interims <= usize::from(expects), "a 100 too many: {}", self.place());
                }
                None => self.check_refusal(answer, messages),
            }
            interims = 0;
        }
        let unanswered: Vec<_> = calls.collect();
        let broke = |call: &Call| call.failure == Some(Failure::Transport);
        assert!(
            unanswered.is_empty()
                || (unanswered.len() == 1 && broke(unanswered[0].1))
                || self.run.why == Why::Failed && self.acts.contains(&Act::Reset),
            "a request without an answer: {}",
            self.place()
        );
        assert!(interims == 0 || self.run.why == Why::Failed, "only a 100: {}", self.place());
    }

    /// That what is refused is what the parser refuses, or did not come in time.
    fn check_refusal(&self, answer: &Answer, messages: &[Explained]) {
        assert!([400, 408].contains(&answer.status), "{answer:?}: {}", self.place());
        let broken = explain(self.behind(messages), &limits()).violation();
        let rules = [Some(Kind::HeadTime), Some(Kind::EndedInHead), broken.map(|v| v.kind())];
        let is_named = rules.iter().flatten().any(|kind| kind.name() == answer.rule());
        assert!(is_named || answer.body.is_empty(), "another rule: {}", self.place());
        assert!(answer.closes() && answer.extent == Extent::Whole, "{}", self.place());
        assert!(!self.wire.is_empty(), "a refusal of nothing: {}", self.place());
        assert_eq!(self.run.why, Why::ServerAsked, "{}", self.place());
    }

    /// That an answer is what its call did.
    fn check_answer(&self, number: usize, call: &Call, answer: &Answer, messages: &[Explained]) {
        let head = call.method == "HEAD";
        let old = call.path == "/o";
        let asks = ["/u", "/v"].contains(&&call.path[..]);
        let has_body = ["/p", "/k", "/e", "/v"].contains(&&call.path[..]);
        let streamed = match (head, old) {
            (true, _) => Extent::Whole,
            (_, true) => Extent::UntilClose,
            _ => Extent::Whole,
        };
        let cut = |extent| if head { Extent::Whole } else { extent };
        let (status, extent) = match (call.failure, call.deed) {
            (Some(Failure::Rule(status)), _) => (status, Extent::Whole),
            (Some(Failure::Transport), _) => panic!("an answer to a cut request: {}", self.place()),
            (None, Deed::Panics | Deed::ReadsAndPanics) => (500, Extent::Whole),
            (None, Deed::Upgrades | Deed::ReadsAndUpgrades) if !asks => (426, Extent::Whole),
            (None, Deed::Upgrades) if has_body => (400, Extent::Whole),
            (None, Deed::Upgrades | Deed::ReadsAndUpgrades) => (101, answer.extent),
            (None, Deed::Stream) => (200, streamed),
            (None, Deed::StreamFails | Deed::StreamPanics) if old => (200, cut(Extent::UntilClose)),
            (None, Deed::StreamFails | Deed::StreamPanics | Deed::Short) => (200, cut(Extent::Cut)),
            (None, _) => (200, Extent::Whole),
        };
        assert_eq!((answer.status, answer.extent), (status, extent), "{}", self.place());
        if status == 200 && !head {
            assert_eq!(answer.text(), number.to_string(), "order: {}", self.place());
        }
        if status == 101 {
            assert!(self.behind(messages).starts_with(&answer.body), "{}", self.place());
        }
        // What forces a close is announced.
        let left = match (call.path.as_str(), call.body.len()) {
            _ if call.whole || !has_body => false,
            ("/k", _) => true,
            ("/e", _) => call.body.is_empty(),
            ("/v", _) => false,
            (_, read) => (crate::events::LENGTH - read) as u64 > limits().drain,
        };
        let must = call.failure.is_some()
            || status == 500
            || call.deed == Deed::Closes
            || left
            || call.path == "/c"
            || extent == Extent::UntilClose;
        let may = old || status == 400;
        if status != 101 && (must || !may) {
            assert_eq!(answer.closes(), must, "{}", self.place());
        }
    }

    /// That the connection ended as its last answer said, or because of the peer.
    fn check_end(&self, answers: &[Answer]) {
        let (run, place) = (self.run, || self.place());
        let last = answers.iter().rfind(|answer| answer.status != 100);
        let announced = last.is_some_and(Answer::closes);
        let ended = run.happened.iter().any(|(_, what)| *what == Happened::ClosedWrite);
        let reset = self.acts.contains(&Act::Reset);
        match run.why {
            Why::PeerClosed => {
                assert!(self.acts.contains(&Act::End) && !announced && !ended, "{}", place());
            }
            Why::Idle => {
                assert!(!announced && !ended, "{}", place());
                let first = answers.is_empty();
                let patience = if first { limits().first_byte } else { limits().idle };
                assert!(run.elapsed >= patience, "{}", place());
            }
            Why::ServerAsked => assert!(announced && (ended || reset), "{}", place()),
            Why::PeerAsked => {
                let asked = self.run.calls.last().is_some_and(|call| call.path == "/c");
                assert!(announced && asked, "{}", place());
            }
            Why::Upgraded => {
                assert!(last.is_some_and(|answer| answer.status == 101), "{}", place());
            }
            Why::Failed => {
                let upgraded = last.is_some_and(|answer| answer.status == 101);
                let call = run.calls.last();
                let cut = call.is_some_and(|call| {
                    matches!(call.deed, Deed::StreamFails | Deed::StreamPanics | Deed::Short)
                });
                // A body that nobody reads may break off too.
                let left = call.is_some_and(|call| {
                    ["/p", "/e", "/v"].contains(&&call.path[..]) && !call.whole
                });
                assert!(reset || upgraded || cut || left, "{}", place());
                assert!(!(cut && ended), "a cut that looks like an end: {}", place());
            }
            other => panic!("{other:?}: {}", place()),
        }
    }

    /// That nothing is written behind the end of the sending side, and nothing without a read before.
    fn check_writes(&self) {
        let (mut ended, mut read) = (false, 0);
        for (_, what) in &self.run.happened {
            match what {
                Happened::Wrote(_) => {
                    assert!(!ended, "written behind the end: {}", self.place());
                    assert!(read > 0, "written before anything came: {}", self.place());
                }
                Happened::ClosedWrite => {
                    assert!(!ended, "ended twice: {}", self.place());
                    ended = true;
                }
                Happened::Read(count) => read += count,
                Happened::TimedOut | Happened::Stalled => {}
            }
        }
    }

    /// That no wait is longer than the longest deadline, those of a lingering close are short, and the
    /// end comes.
    fn check_waits(&self) {
        let limits = limits();
        let (mut before, mut linger) = (Duration::ZERO, None);
        // A protocol that was switched to has deadlines of its own.
        let upgrades = self
            .run
            .calls
            .iter()
            .any(|call| matches!(call.deed, Deed::Upgrades | Deed::ReadsAndUpgrades));
        for (at, what) in &self.run.happened {
            let waited = *at - before;
            assert!(waited <= limits.idle || upgrades, "{waited:?}: {}", self.place());
            if let Some(began) = linger {
                let short = waited <= limits.linger && *at - began <= limits.linger_time;
                assert!(short, "{waited:?} of a lingering close: {}", self.place());
            }
            if *what == Happened::ClosedWrite {
                linger = Some(*at);
            }
            before = *at;
        }
        let waited = self.run.elapsed - before;
        assert!(waited <= limits.idle || upgrades, "{waited:?} at the end: {}", self.place());
    }

    /// That no request was served whose head or body took longer than it may.
    fn check_clocks(&self, messages: &[Explained]) {
        let limits = limits();
        let mut start = 0;
        for (call, explained) in self.run.calls.iter().zip(messages) {
            let empty = self.wire[start..].iter().take_while(|octet| b"\r\n".contains(octet));
            let first = self.arrived(start + empty.count());
            let head = explained.spans.iter().find(|(part, _)| *part == Part::EndOfHead);
            let head = self.arrived(start + head.map_or(0, |(_, at)| at.end) - 1);
            assert!(head - first <= limits.head_time, "a slow head: {}", self.place());
            start += message_end(explained);
            if call.whole {
                let took = self.arrived(start - 1) - head;
                let earned = Duration::from_millis(100);
                assert!(took <= limits.body_grace + earned, "a slow body: {}", self.place());
            }
        }
    }

    /// When the byte at this offset was read.
    fn arrived(&self, offset: usize) -> Duration {
        let mut read = 0;
        let found = self.run.happened.iter().find(|(_, what)| {
            if let Happened::Read(count) = what {
                read += count;
            }
            read > offset
        });
        found.map_or(Duration::MAX, |(at, _)| *at)
    }
}

fn body(bytes: &[u8], explained: &Explained) -> Vec<u8> {
    let mut body = part_bytes(bytes, &explained.spans, Part::Body);
    body.extend(part_bytes(bytes, &explained.spans, Part::ChunkData));
    body
}
