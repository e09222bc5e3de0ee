//! Draws what a unit of work costs as work grows: figures of the benchmarks enter, an SVG comes out.
//!
//! ```text
//! cargo bench -p benches --bench growth -- --json growth.json
//! cargo bench -p benches --bench router -- --json router.json
//! cargo run -p benches --example plot -- growth.json router.json > crates/longhand/plots/cost.svg
//! ```
//!
//! Both axes are logarithmic. A line that stays level is work whose cost grows as it does; one that
//! climbs is what grows faster. The colours are neither dark nor light: the page around may be both.

use std::fmt::Write;
use std::process::ExitCode;

use benches::Report;

/// What is drawn: how its figures are named, what the line is called, its colour, and whether a figure
/// is for the whole amount.
struct Line {
    figures: &'static str,
    label: &'static str,
    colour: &'static str,
    whole: bool,
}

const LINES: [Line; 5] = [
    Line::new(
        "connections, a request on one",
        "a request, of so many connections",
        "#c2571a",
        false,
    ),
    Line::new("two parameters", "a look-up, of so many routes", "#8e6bd1", false),
    Line::new("fields of a head", "a field, of so many in a head", "#2f8f5b", true),
    Line::new("bytes of a body in chunks", "a byte, of so many in chunks", "#c23b6b", true),
    Line::new("bytes of a body", "a byte, of so many of known length", "#3a7fd0", true),
];

/// The grey of axes and text: 4.0 to 1 on white, 4.5 to 1 on a nearly black page.
const GREY: &str = "#7c7c7c";

/// Decades of the axes: amounts from 1 to 10^8, nanoseconds from 0.001 to 10^5.
const AMOUNTS: (i32, i32) = (0, 8);
const TIMES: (i32, i32) = (-3, 5);

/// The frame in the picture: left, top, width, height.
const FRAME: (f64, f64, f64, f64) = (70.0, 15.0, 420.0, 300.0);

impl Line {
    const fn new(
        figures: &'static str,
        label: &'static str,
        colour: &'static str,
        whole: bool,
    ) -> Self {
        Self { figures, label, colour, whole }
    }

    /// Amounts, and the nanoseconds of a unit.
    fn points(&self, report: &Report) -> Vec<(f64, f64)> {
        let amount = |name: &str| {
            let rest = name.strip_prefix(self.figures)?.strip_prefix(", ")?;
            let amount: f64 = rest.trim_end_matches(" routes").parse().ok()?;
            (amount >= 1.0).then_some(amount)
        };
        let unit = |amount| if self.whole { amount } else { 1.0 };
        let figures = report.figures().iter();
        figures
            .filter_map(|(name, ns)| amount(name).map(|amount| (amount, ns / unit(amount))))
            .collect()
    }
}

fn main() -> ExitCode {
    let mut report = Report::default();
    for file in std::env::args().skip(1) {
        if let Err(error) = report.read(&file) {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    }
    match draw(&report) {
        Ok(picture) => {
            print!("{picture}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The whole picture; or which line has no figures.
fn draw(report: &Report) -> Result<String, String> {
    let mut picture = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 740 365\" width=\"740\" id=\"plot\" role=\"img\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <title>Nanoseconds of a unit of work, as work grows</title>\n",
    );
    axes(&mut picture);
    for (place, line) in LINES.iter().enumerate() {
        let points = line.points(report);
        if points.is_empty() {
            return Err(format!("expected figures named \"{}, AMOUNT\", found none", line.figures));
        }
        draw_line(&mut picture, place, line, &points);
    }
    picture += "</svg>\n";
    Ok(picture)
}

/// Where a figure is in the frame.
fn x(amount: f64) -> f64 {
    let (from, to) = AMOUNTS;
    FRAME.0 + (amount.log10() - f64::from(from)) / f64::from(to - from) * FRAME.2
}

fn y(nanoseconds: f64) -> f64 {
    let (from, to) = TIMES;
    FRAME.1 + FRAME.3 - (nanoseconds.log10() - f64::from(from)) / f64::from(to - from) * FRAME.3
}

fn axes(picture: &mut String) {
    let (left, top, width, height) = FRAME;
    let (right, bottom) = (left + width, top + height);
    let mut text = |x: f64, y: f64, anchor: &str, text: &str| {
        let _ = writeln!(
            picture,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{GREY}\">{text}</text>"
        );
    };
    for decade in (AMOUNTS.0..=AMOUNTS.1).step_by(2) {
        text(x(10f64.powi(decade)), bottom + 18.0, "middle", &power(decade));
    }
    for decade in (TIMES.0..=TIMES.1).step_by(2) {
        text(left - 8.0, y(10f64.powi(decade)) + 4.0, "end", &power(decade));
    }
    text(left + width / 2.0, bottom + 38.0, "middle", "amount of work");
    text(left - 8.0, top + 24.0, "end", "ns");
    let _ = write!(picture, "<g stroke=\"{GREY}\" stroke-opacity=\"0.3\">");
    for decade in TIMES.0..=TIMES.1 {
        let y = y(10f64.powi(decade));
        let _ = write!(picture, "<path d=\"M{left} {y:.1}H{right}\"/>");
    }
    let _ = writeln!(picture, "</g>");
}

/// A power of ten as people write it.
fn power(decade: i32) -> String {
    match decade {
        6 => "1 million".to_owned(),
        8 => "100 million".to_owned(),
        3.. => format!("{},000", 10f64.powi(decade - 3)),
        _ => format!("{}", 10f64.powi(decade)),
    }
}

fn draw_line(picture: &mut String, place: usize, line: &Line, points: &[(f64, f64)]) {
    let colour = line.colour;
    let places: Vec<(f64, f64)> = points.iter().map(|&(amount, ns)| (x(amount), y(ns))).collect();
    let path: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
    let path = path.join("L");
    let _ = writeln!(
        picture,
        "<path d=\"M{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>"
    );
    for (x, y) in places {
        let _ = write!(picture, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>");
    }
    let (at, label) = (FRAME.1 + 20.0 + 22.0 * place as f64, line.label);
    let start = FRAME.0 + FRAME.2 + 15.0;
    let _ = writeln!(
        picture,
        "\n<path d=\"M{start} {at}h18\" stroke=\"{colour}\" stroke-width=\"2\"/>\
         <text x=\"{}\" y=\"{}\" fill=\"{GREY}\">{label}</text>",
        start + 24.0,
        at + 4.0,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_needs_figures_and_a_unit_is_a_part_of_the_whole() {
        let mut report = Report::default();
        let error = draw(&report).unwrap_err();
        assert_eq!(
            error,
            "expected figures named \"connections, a request on one, AMOUNT\", found none"
        );
        for line in &LINES {
            report.add(format!("{}, 1", line.figures), 50.0);
            report.add(format!("{}, 100", line.figures), 500.0);
        }
        report.add("two parameters, 0 routes", 1.0);
        assert_eq!(LINES[0].points(&report), [(1.0, 50.0), (100.0, 500.0)]);
        assert_eq!(LINES[1].points(&report), [(1.0, 50.0), (100.0, 500.0)], "no amount of nothing");
        assert_eq!(LINES[2].points(&report), [(1.0, 50.0), (100.0, 5.0)]);
        let picture = draw(&report).unwrap();
        assert_eq!(picture.matches("<circle").count(), 10);
        assert!(!picture.contains("\n\n"), "an empty line would end it inside of Markdown");
    }
}
