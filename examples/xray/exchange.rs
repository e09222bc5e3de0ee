//! What was recorded of a connection: its bytes, where each read ended, and what the parser calls them.
//!
//! Bytes enter as they were read and written, with the time; out come connections of exchanges of
//! messages. Each message keeps its bytes, the places where reads began, and the spans and the
//! verdict of `wire::explain`: the server's own parser, which ran over the same bytes. All times are
//! counted from the start of the program.

use std::net::SocketAddr;
use std::time::Duration;

use longhand::Limits;
use longhand::wire::{Part, Verdict, Violation, explain, explain_response};

pub(crate) use crate::message::{Line, Message};

/// Bytes kept of one message; those beyond are counted.
pub(crate) const KEPT: usize = 64 << 10;

/// A connection, from `accept` on.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    /// Counted from one, in the order of `accept`.
    pub(crate) number: u32,
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) opened: Duration,
    /// Reads that gave bytes.
    pub(crate) reads: usize,
    pub(crate) writes: usize,
    /// Requests that have begun.
    pub(crate) requests: u32,
    /// Of them, those whose response the server has made.
    answers: u32,
    /// In the order of the requests. The oldest may have been forgotten: see their numbers.
    pub(crate) exchanges: Vec<Exchange>,
    /// When it ended, and why.
    pub(crate) closed: Option<(Duration, &'static str)>,
}

/// A request, whole or not, with what answers it.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    /// Counted from one on its connection.
    pub(crate) number: u32,
    pub(crate) request: Message,
    /// Interim responses (100) and the final one.
    pub(crate) responses: Vec<Message>,
    /// What the server refused beyond what the bytes alone say: a deadline, a limit, a tunnel.
    pub(crate) told: Option<Refusal>,
}

/// A broken rule, and at which byte of the request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refusal {
    pub(crate) violation: Violation,
    pub(crate) at: usize,
}

impl Connection {
    pub(crate) fn new(number: u32, peer: Option<SocketAddr>, opened: Duration) -> Self {
        let (reads, writes, requests, answers) = (0, 0, 0, 0);
        let (exchanges, closed) = (Vec::new(), None);
        Self { number, peer, opened, reads, writes, requests, answers, exchanges, closed }
    }

    /// A read gave these bytes. One read may end a request, hold several, and begin another.
    pub(crate) fn received(&mut self, bytes: &[u8], time: Duration, limits: &Limits) {
        self.reads += 1;
        let mut rest = bytes.to_vec();
        while !rest.is_empty() {
            if self.exchanges.last().is_none_or(|last| last.request.verdict == Verdict::Accepted) {
                self.requests += 1;
                self.exchanges.push(Exchange::new(self.requests));
            }
            let Some(Exchange { request, .. }) = self.exchanges.last_mut() else { return };
            rest = request.take(&rest, self.reads, time, KEPT, |bytes| explain(bytes, limits));
        }
    }

    /// A write took these bytes: they belong to the first request that has no final response yet.
    pub(crate) fn sent(&mut self, bytes: &[u8], time: Duration, limits: &Limits) {
        self.writes += 1;
        let mut rest = bytes.to_vec();
        while !rest.is_empty() {
            let waiting = self.exchanges.iter_mut().find(|exchange| !exchange.is_answered());
            let Some(exchange) = waiting else { return };
            let method = exchange.request.method();
            if exchange.responses.last().is_none_or(|last| last.verdict != Verdict::Unfinished) {
                exchange.responses.push(Message::new());
            }
            let Some(response) = exchange.responses.last_mut() else { return };
            let explain = |bytes: &[u8]| explain_response(bytes, &method, limits);
            rest = response.take(&rest, self.writes, time, KEPT, explain);
        }
    }

    /// The server has made the response to the next request, which may be a refusal. In a body it
    /// counts bytes from the body's start.
    pub(crate) fn answered(&mut self, violation: Option<Violation>, in_body: bool) {
        self.answers += 1;
        let is_it = |exchange: &&mut Exchange| exchange.number == self.answers;
        let Some(exchange) = self.exchanges.iter_mut().find(is_it) else { return };
        let body = if in_body { exchange.request.head_end().unwrap_or(0) } else { 0 };
        let refusal =
            |violation: Violation| Refusal { violation, at: body.saturating_add(violation.at()) };
        exchange.told = violation.map(refusal);
    }
}

impl Exchange {
    fn new(number: u32) -> Self {
        Self { number, request: Message::new(), responses: Vec::new(), told: None }
    }

    /// Whether the final response is whole, or will never be.
    pub(crate) fn is_answered(&self) -> bool {
        self.response().is_some_and(|response| response.verdict != Verdict::Unfinished)
    }

    /// The final response, as far as it has come.
    pub(crate) fn response(&self) -> Option<&Message> {
        self.responses.last().filter(|last| last.part(Part::Status).first() != Some(&b'1'))
    }

    /// The rule that the request broke, if it did.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        match self.request.verdict {
            Verdict::Refused(violation) => Some(Refusal { violation, at: violation.at() }),
            Verdict::Accepted | Verdict::Unfinished => self.told,
        }
    }
}
