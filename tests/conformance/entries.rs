//! All cases, each with what came of it.

use std::path::Path;
use std::sync::OnceLock;

use harness::golden::{self, Case, Settings, escape, unescape};
use longhand::Limits;

use crate::sections::{listed, named_in, of_file};
use crate::told::{self, Told};

/// One case of the sheet.
pub(crate) struct Entry {
    pub(crate) section: &'static str,
    /// Whether it is about a response that longhand reads, as a client does.
    pub(crate) is_response: bool,
    pub(crate) title: String,
    /// Why it is a case, and what it is read under.
    pub(crate) about: String,
    /// The bytes as they are shown, with a caret under the one at fault.
    pub(crate) sent: String,
    pub(crate) told: Told,
    /// The bytes of the answer, where they are worth reading.
    pub(crate) answered: String,
}

/// The golden cases, then the conversations.
pub(crate) fn entries() -> &'static [Entry] {
    // Played once for all tests.
    static ENTRIES: OnceLock<Vec<Entry>> = OnceLock::new();
    ENTRIES.get_or_init(|| {
        let golden = golden::cases().into_iter().map(|case| of_case(&case));
        golden.chain(crate::play::entries()).collect()
    })
}

fn of_case(case: &Case) -> Entry {
    let is_response = case.settings.response_to.is_some();
    let told = match is_response {
        true => told::response(&case.explained()),
        false => told::request(&case.bytes, &case.settings.limits),
    };
    let file = Path::new(&case.file).file_name().and_then(|name| name.to_str());
    let section = match told.rule {
        Some(rule) => listed(rule.section()),
        None => {
            named_in(&case.about).unwrap_or_else(|| of_file(file.unwrap_or_default(), &case.title))
        }
    };
    Entry {
        section,
        is_response,
        title: case.title.clone(),
        about: [case.about.trim(), &under(&case.settings)].join(" ").trim().to_owned(),
        sent: with_caret(&case.written, told.at),
        told,
        answered: String::new(),
    }
}

/// What a case is read under, where that is not the rule.
fn under(settings: &Settings) -> String {
    let (limits, default) = (&settings.limits, Limits::default());
    let mut said = String::new();
    for (name, value, usual) in [
        ("target", limits.target, default.target),
        ("head", limits.head, default.head),
        ("fields", limits.fields, default.fields),
        ("body_overhead", limits.body_overhead, default.body_overhead),
    ] {
        if value != usual {
            said += &format!("Here `Limits::{name}` is {value}. ");
        }
    }
    match settings.response_to.as_deref() {
        None | Some("GET") => said,
        Some(method) => said + &format!("It answers a {method}."),
    }
}

/// The lines of a case, with a caret under byte `at`; none where that is inside a repetition.
fn with_caret(written: &[String], at: Option<usize>) -> String {
    let mut shown = String::new();
    let mut left = at;
    let last = written.len().saturating_sub(1);
    for (index, line) in written.iter().enumerate() {
        shown += line;
        shown.push('\n');
        let bytes = unescape(line).expect("the case was read");
        let Some(at) = left else { continue };
        if at < bytes.len() || (index == last && at == bytes.len() && !bytes.ends_with(b"\n")) {
            let before = (0..=line.len()).filter(|end| line.is_char_boundary(*end));
            let column = before
                .into_iter()
                .find(|end| unescape(&line[..*end]).is_ok_and(|before| before.len() == at));
            if let Some(column) = column {
                shown += &format!("{:>1$}\n", '^', line[..column].chars().count() + 1);
            }
            left = None;
        } else {
            left = Some(at - bytes.len());
        }
    }
    if left == Some(0) {
        shown += "^\n";
    }
    shown
}

/// Bytes as the golden files show them, a line for each of theirs.
pub(crate) fn lines(bytes: &[u8]) -> String {
    let lines = bytes.split_inclusive(|octet| *octet == b'\n');
    lines.map(|line| escape(line) + "\n").collect()
}
