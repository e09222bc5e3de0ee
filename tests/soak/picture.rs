//! The samples as a picture: memory, descriptors and threads, and how long normal requests took.
//!
//! The colours are neither dark nor light: the page around may be both.

use std::fmt::Write;

use crate::samples::{Sample, Samples, median};

/// The grey of axes and text: 4.0 to 1 on white, 4.5 to 1 on a nearly black page.
const GREY: &str = "#7c7c7c";

/// Where panels begin and end from left to right, how high they are, and what is between two.
const LEFT: f64 = 60.0;
const RIGHT: f64 = 560.0;
const HEIGHT: f64 = 90.0;
const GAP: f64 = 24.0;

/// How many points a line has at most.
const POINTS: usize = 120;

type Figure = fn(&Sample) -> u64;

/// A panel: its lines, each with its label, its colour and its figure; and whether its axis is
/// logarithmic, from 10 to 100,000.
type Panel = (&'static [(&'static str, &'static str, Figure)], bool);

const PANELS: [Panel; 3] = [
    (&[("memory, KiB", "#c2571a", |sample| sample.figures.resident)], false),
    (
        &[
            ("descriptors", "#3a7fd0", |sample| sample.figures.descriptors),
            ("threads", "#2f8f5b", |sample| sample.figures.threads),
        ],
        false,
    ),
    (
        &[
            ("p99 of a request, µs", "#c23b6b", |sample| sample.worst),
            ("median", "#8e6bd1", |sample| sample.middle),
        ],
        true,
    ),
];

pub(crate) fn draw(samples: &Samples) -> String {
    let height = 15.0 + PANELS.len() as f64 * (HEIGHT + GAP) + 20.0;
    let mut picture = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 740 {height}\" width=\"740\" id=\"soak\" \
         role=\"img\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <title>Memory, descriptors, threads and times of a server before a mixed crowd</title>\n"
    );
    let seconds = samples.all().len() as f64;
    let size = samples.all().len().div_ceil(POINTS).max(1);
    for (place, one) in PANELS.iter().enumerate() {
        let bottom = 15.0 + place as f64 * (HEIGHT + GAP) + HEIGHT;
        panel(&mut picture, bottom, one, samples.all().chunks(size), seconds);
    }
    for (x, anchor, text) in
        [(LEFT, "middle", "0".to_owned()), (RIGHT, "middle", format!("{:.0} min", seconds / 60.0))]
    {
        label(&mut picture, x, height - 22.0, anchor, &text);
    }
    picture + "</svg>\n"
}

fn panel<'s>(
    picture: &mut String,
    bottom: f64,
    (lines, logarithmic): &Panel,
    spans: impl Iterator<Item = &'s [Sample]> + Clone,
    seconds: f64,
) {
    let values = |figure: Figure| {
        spans.clone().filter_map(move |span| Some((span.last()?.second, median(span, figure))))
    };
    let all = lines.iter().flat_map(|(_, _, figure)| values(*figure));
    let (least, most) = match logarithmic {
        true => (10, 100_000),
        false => (0, all.map(|(_, value)| value).max().unwrap_or(1).max(1)),
    };
    let height = |value: u64| {
        let share = match logarithmic {
            true => (value.max(10) as f64).log10() / 4.0 - 0.25,
            false => value as f64 / most as f64,
        };
        bottom - share * HEIGHT
    };
    label(picture, LEFT - 6.0, bottom - HEIGHT + 4.0, "end", &most.to_string());
    label(picture, LEFT - 6.0, bottom + 4.0, "end", &least.to_string());
    let _ = writeln!(
        picture,
        "<path d=\"M{LEFT} {}H{RIGHT}M{LEFT} {bottom}H{RIGHT}\" stroke=\"{GREY}\" stroke-opacity=\"0.3\"/>",
        bottom - HEIGHT
    );
    for (row, (name, colour, figure)) in lines.iter().enumerate() {
        let points: Vec<String> = values(*figure)
            .map(|(second, value)| {
                let x = LEFT + second as f64 / seconds * (RIGHT - LEFT);
                format!("{x:.1} {:.1}", height(value))
            })
            .collect();
        let points = points.join("L");
        let _ = writeln!(
            picture,
            "<path d=\"M{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"/>"
        );
        let y = bottom - HEIGHT + 14.0 + 20.0 * row as f64;
        let _ = writeln!(
            picture,
            "<path d=\"M{} {}h18\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            RIGHT + 15.0,
            y - 4.0
        );
        label(picture, RIGHT + 39.0, y, "start", name);
    }
}

fn label(picture: &mut String, x: f64, y: f64, anchor: &str, text: &str) {
    let _ = writeln!(
        picture,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{GREY}\">{text}</text>"
    );
}
