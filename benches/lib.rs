//! What the benchmarks share: figures that are written as JSON, and compared with those of a run before.
//!
//! ```text
//! cargo bench --bench parser -- --json before.json
//! cargo bench --bench parser -- --baseline before.json
//! ```
//!
//! Where one machine does all of it and nothing else, a figure moves by some hundredths from run to run.
//! A busy machine moves it by a third: compare what was measured under the same conditions.

use std::fs;
use std::process::ExitCode;

pub mod heads;

/// Whether to measure, as `cargo bench` asks by `--bench`; else there is one quick pass.
#[must_use]
pub fn measures() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

/// The figures of one run, in the order in which they were measured.
#[derive(Debug, Default, PartialEq)]
pub struct Report {
    figures: Vec<(String, f64)>,
}

impl Report {
    /// Adds the nanoseconds of one operation.
    ///
    /// # Panics
    /// If the name holds a quote or a backslash, which nothing here needs.
    pub fn add(&mut self, name: impl Into<String>, nanoseconds: f64) {
        let name = name.into();
        assert!(!name.contains(['"', '\\']), "{name}: expected neither quote nor backslash");
        self.figures.push((name, nanoseconds));
    }

    /// The names and nanoseconds, in the order in which they were added.
    #[must_use]
    pub fn figures(&self) -> &[(String, f64)] {
        &self.figures
    }

    /// Adds what a run wrote to `file`.
    ///
    /// # Errors
    /// If it cannot be read, or is not what a run writes; the text names the file.
    pub fn read(&mut self, file: &str) -> Result<(), String> {
        let text = fs::read_to_string(file).map_err(|error| error.to_string());
        let read = text.and_then(|text| Self::of_json(&text));
        let read = read.map_err(|error| format!("{file}: {error}"))?;
        self.figures.extend(read.figures);
        Ok(())
    }

    /// Does what the arguments ask for: `--json FILE` writes the figures, `--baseline FILE` prints them
    /// beside those of that file.
    pub fn finish(&self) -> ExitCode {
        let arguments: Vec<String> = std::env::args().collect();
        let file = |option: &str| {
            let place = arguments.iter().position(|argument| argument == option)?;
            Some(arguments.get(place + 1).map(String::as_str).unwrap_or_default())
        };
        let written = file("--json").map_or(Ok(()), |file| {
            fs::write(file, self.json()).map_err(|error| format!("--json {file}: {error}"))
        });
        let compared = file("--baseline").map_or(Ok(()), |file| {
            let mut before = Self::default();
            before.read(file).map_err(|error| format!("--baseline {error}"))?;
            print!("{}", self.beside(&before));
            Ok(())
        });
        match written.and(compared) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        }
    }

    /// One object, a figure a line.
    fn json(&self) -> String {
        let line = |(name, nanoseconds): &(String, f64)| format!("  \"{name}\": {nanoseconds:.3}");
        format!("{{\n{}\n}}\n", self.figures.iter().map(line).collect::<Vec<_>>().join(",\n"))
    }

    /// Reads what [`json`](Self::json) writes.
    fn of_json(text: &str) -> Result<Self, String> {
        let mut report = Self::default();
        for (number, line) in text.lines().enumerate() {
            let figure = line.trim().trim_end_matches(',');
            if figure.is_empty() || figure == "{" || figure == "}" {
                continue;
            }
            let parts = figure.strip_prefix('"').and_then(|rest| rest.split_once("\": "));
            let read = parts.and_then(|(name, value)| Some((name, value.parse::<f64>().ok()?)));
            let Some((name, nanoseconds)) = read else {
                return Err(format!(
                    "line {}: expected \"NAME\": NUMBER, found {line}",
                    number + 1
                ));
            };
            report.figures.push((name.to_owned(), nanoseconds));
        }
        Ok(report)
    }

    /// A table of both: what has no counterpart is left out.
    fn beside(&self, before: &Self) -> String {
        let mut table =
            "\n| subject | ns before | ns now | now of before |\n|---|---:|---:|---:|\n".to_owned();
        for (name, now) in &self.figures {
            if let Some((_, then)) = before.figures.iter().find(|(other, _)| other == name) {
                table += &format!("| {name} | {then:.1} | {now:.1} | {:.2} |\n", now / then);
            }
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::Report;

    #[test]
    fn what_is_written_is_read_again_and_compared_name_by_name() {
        let mut report = Report::default();
        report.add("a head, short", 19.5);
        report.add("new here", 1.0);
        assert_eq!(Report::of_json(&report.json()), Ok(Report { figures: report.figures.clone() }));
        let before = Report::of_json("{\n  \"a head, short\": 39.0\n}\n").unwrap();
        assert!(report.beside(&before).ends_with("| a head, short | 39.0 | 19.5 | 0.50 |\n"));
        let bad = Report::of_json("{\n  \"a head\" 1\n}\n").unwrap_err();
        assert_eq!(bad, "line 2: expected \"NAME\": NUMBER, found   \"a head\" 1");
    }
}
