//! What the system counts of a process: memory, descriptors, threads, time on a processor.

use std::fs;

/// The figures of one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Memory that is resident, in KiB.
    pub resident: u64,
    /// Open descriptors.
    pub descriptors: u64,
    /// Threads.
    pub threads: u64,
    /// Time on processors, in hundredths of a second.
    pub busy: u64,
}

impl Figures {
    /// Those of a process now.
    ///
    /// # Panics
    /// If there is no such process.
    #[must_use]
    pub fn of(process: u32) -> Self {
        let text = |name: &str| {
            fs::read_to_string(format!("/proc/{process}/{name}")).expect("the process runs")
        };
        let status = text("status");
        let line = |name: &str| {
            let rest = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            rest.split_whitespace().next().and_then(|number| number.parse().ok()).expect("a number")
        };
        // The name of the program, in parentheses, may hold anything; behind it begins field 3.
        let stat = text("stat");
        let (_, fields) = stat.rsplit_once(") ").expect("a name in parentheses");
        let times = fields.split(' ').skip(11).take(2).filter_map(|time| time.parse::<u64>().ok());
        let descriptors = fs::read_dir(format!("/proc/{process}/fd")).expect("the process runs");
        Self {
            resident: line("VmRSS:"),
            descriptors: descriptors.count() as u64,
            threads: line("Threads:"),
            busy: times.sum(),
        }
    }
}
