//! What is counted of the bookmarks, on the same page as what the kit counts of the server.

use std::sync::atomic::{AtomicU64, Ordering};

use longhand::{Handle, Response};
use longhand_kit::metrics::Metrics;

use crate::check::Outcome;
use crate::visits::Counter;

/// Counters of this program. A `static` holds them.
pub(crate) struct Tally {
    pub(crate) server: Metrics,
    redirects: AtomicU64,
    saves: AtomicU64,
    answered: AtomicU64,
    failed: AtomicU64,
    busy: AtomicU64,
}

impl Tally {
    pub(crate) const fn new() -> Self {
        Self {
            server: Metrics::new(),
            redirects: AtomicU64::new(0),
            saves: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            busy: AtomicU64::new(0),
        }
    }

    pub(crate) fn redirected(&self) {
        add(&self.redirects, 1);
    }

    pub(crate) fn saved(&self, count: usize) {
        add(&self.saves, count as u64);
    }

    pub(crate) fn checked(&self, outcome: &Outcome) {
        let counter = match outcome {
            Outcome::Answered => &self.answered,
            Outcome::Failed(..) => &self.failed,
            Outcome::Busy => &self.busy,
        };
        add(counter, 1);
    }

    /// The page of counters.
    pub(crate) fn page(&self, server: &Handle, visits: &Counter) -> Response {
        // On one page, with the kit's own answer in front.
        let page = self.server.answer(server);
        let mut text = String::from_utf8_lossy(page.body_bytes().unwrap_or_default()).into_owned();
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut family = |name: &str, kind: &str, help: &str, samples: &[(&str, u64)]| {
            text += &format!("# HELP bookmark_{name} {help}\n# TYPE bookmark_{name} {kind}\n");
            for (labels, value) in samples {
                text += &format!("bookmark_{name}{labels} {value}\n");
            }
        };
        let redirects = get(&self.redirects);
        family("redirects_total", "counter", "Names that were followed.", &[("", redirects)]);
        family("saves_total", "counter", "Bookmarks that were saved.", &[("", get(&self.saves))]);
        let checks = [
            ("{outcome=\"answered\"}", get(&self.answered)),
            ("{outcome=\"failed\"}", get(&self.failed)),
            ("{outcome=\"busy\"}", get(&self.busy)),
        ];
        family("checks_total", "counter", "URIs that were checked.", &checks);
        let waiting = visits.waiting();
        family("visits_waiting", "gauge", "Visits not in the store yet.", &[("", waiting)]);
        let page = Response::bytes("text/plain; version=0.0.4; charset=utf-8", text.into_bytes());
        page.field("Cache-Control", "no-store")
    }
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}
