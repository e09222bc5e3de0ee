//! What was read once a second, and whether it stayed as it was.

use std::fmt::Write;

use harness::figures::Figures;

use crate::crowd::{Crowd, Tally};
use crate::{CAP, ON_THE_WAY, REFUSED};

/// One second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) second: u64,
    pub(crate) figures: Figures,
    /// Of the normal clients' requests in this second, in microseconds: the median, and what one in a
    /// hundred exceeds.
    pub(crate) middle: u64,
    pub(crate) worst: u64,
    tally: Tally,
    wrong: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Samples(Vec<Sample>);

impl Samples {
    pub(crate) fn take(&mut self, second: u64, figures: Figures, crowd: &Crowd) {
        let (tally, wrong, mut took) = crowd.so_far();
        took.sort_unstable();
        let of = |share: usize| took.get(took.len() * share / 100).copied().unwrap_or_default();
        let (middle, worst) = (of(50), of(99));
        self.0.push(Sample { second, figures, middle, worst, tally, wrong });
    }

    pub(crate) fn all(&self) -> &[Sample] {
        &self.0
    }

    pub(crate) fn csv(&self) -> String {
        let mut text = String::from(
            "second,resident_kib,descriptors,threads,busy_cs,p50_us,p99_us,answers,turned_away,\
             made_room,errors\n",
        );
        for sample in &self.0 {
            let Sample { second, figures, middle, worst, tally, wrong } = sample;
            let Figures { resident, descriptors, threads, busy } = figures;
            let Tally { answers, turned_away, made_room, .. } = tally;
            let _ = writeln!(
                text,
                "{second},{resident},{descriptors},{threads},{busy},{middle},{worst},{answers},\
                 {turned_away},{made_room},{wrong}"
            );
        }
        text
    }

    /// A few lines of the whole, evenly spread.
    pub(crate) fn summary(&self) -> String {
        let mut text = String::new();
        let few = self.0.len().div_ceil(10).max(1);
        for ten in self.0.chunks(few) {
            let Some(last) = ten.last() else { continue };
            let _ = writeln!(
                text,
                "{:>5} s: {:>6} KiB, {:>4} descriptors, {:>4} threads; normal: median {} us, p99 {} us",
                last.second,
                median(ten, |sample| sample.figures.resident),
                median(ten, |sample| sample.figures.descriptors),
                median(ten, |sample| sample.figures.threads),
                median(ten, |sample| sample.middle),
                median(ten, |sample| sample.worst),
            );
        }
        text
    }

    /// The second half beside the first, without a warm-up of a tenth. Times are not compared: the
    /// machine has other things to do.
    pub(crate) fn assert_flat(&self) {
        let warm = &self.0[self.0.len() / 10..];
        let (first, second) = warm.split_at(warm.len() / 2);
        let halves = |figure: fn(&Sample) -> u64| (median(first, figure), median(second, figure));
        let (before, after) = halves(|sample| sample.figures.resident);
        assert!(after <= before + before / 10 + 2_048, "memory grew from {before} to {after} KiB");
        let (before, after) = halves(|sample| sample.figures.descriptors);
        assert!(after <= before + 32, "{before} descriptors became {after}");
        let (before, after) = halves(|sample| sample.figures.threads);
        assert!(after <= before + 32, "{before} threads became {after}");
        for Sample { second, figures, .. } in &self.0 {
            assert!(figures.descriptors <= CAP + REFUSED + ON_THE_WAY, "{second}: {figures:?}");
            assert!(figures.threads <= CAP + ON_THE_WAY, "{second}: {figures:?}");
        }
    }
}

pub(crate) fn median(samples: &[Sample], figure: impl Fn(&Sample) -> u64) -> u64 {
    let mut figures: Vec<u64> = samples.iter().map(figure).collect();
    figures.sort_unstable();
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}
