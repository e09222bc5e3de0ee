//! The text that Prometheus reads, under construction: its text exposition format, version 0.0.4.
//!
//! Families of samples enter, each whole before the next begins; lines leave. Names and labels are
//! the program's own, so none needs escaping.

use std::fmt::{Arguments, Display, Write};

#[derive(Default)]
pub(super) struct Page {
    text: String,
}

impl Page {
    /// Begins a family: what is said of all samples of this name.
    pub(super) fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP longhand_{name} {help}"));
        self.line(format_args!("# TYPE longhand_{name} {kind}"));
    }

    /// Adds a sample to the family. `labels` may begin with a suffix of the name.
    pub(super) fn sample(&mut self, name: &str, labels: impl Display, value: impl Display) {
        self.line(format_args!("longhand_{name}{labels} {value}"));
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    fn line(&mut self, line: Arguments<'_>) {
        writeln!(self.text, "{line}").expect("a String takes what fits in memory");
    }
}
