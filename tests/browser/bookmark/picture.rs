//! The picture of the page that stands in the README.

use std::path::Path;
use std::{env, fs};

use harness::browser::{Browser, Colours, Script};
use longhand_kit::mac::sha256;

use crate::Bookmark;

/// What is in the picture.
const LINES: [(&str, &str, u32); 6] = [
    ("issues", "https://github.com/rust-lang/rust/issues?q=is%3Aopen+label%3AA-http", 3),
    ("rezept käse", "https://de.wikipedia.org/wiki/K%C3%A4sesp%C3%A4tzle", 12),
    ("rfc/", "https://www.rfc-editor.org/rfc/rfc", 230),
    ("rfc/smuggling", "https://www.rfc-editor.org/rfc/rfc9112.html#section-11.2", 1),
    ("rust", "https://www.rust-lang.org/", 41),
    ("std", "https://doc.rust-lang.org/std/", 118),
];

/// Keeps a picture in the folder that `PICTURES` names, if it names one, for whoever wants to look at it.
pub(super) fn keep(name: &str, png: &[u8]) {
    if let Some(folder) = env::var_os("PICTURES") {
        fs::create_dir_all(&folder).unwrap();
        fs::write(Path::new(&folder).join(name), png).unwrap();
    }
}

/// Of the page as it is now, which a hash in the picture tells: pixels would differ with every font. The
/// page names its style sheet by a hash too.
#[test]
fn the_picture_in_the_readme_is_of_the_page_as_it_is() {
    let server = Bookmark::start();
    let lines = LINES.map(|(name, uri, visits)| {
        let times = "\"created\":\"2026-01-02T03:04:05Z\",\"last\":\"2026-02-03T04:05:06Z\"";
        format!("{{\"name\":\"{name}\",\"uri\":\"{uri}\",\"visits\":{visits},{times}}}\n")
    });
    server.import(&lines.concat());
    let browser = Browser::start(Script::Off);
    browser.prefer(Colours::Light);
    browser.resize(800, 900);
    browser.open(&server.at("localhost"));
    let page = crate::fetch(server.program.address(), "/");
    let hash: String = sha256(page.as_bytes()).iter().map(|octet| format!("{octet:02x}")).collect();
    let png = with_text(&browser.picture(800), &format!("Page\0{hash}"));
    keep("bookmark.png", &png);

    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/bookmark/bookmark.png");
    let there = fs::read(file).unwrap();
    assert!(
        there.windows(64).any(|text| text == hash.as_bytes()),
        "{file} is of another page; with PICTURES=folder this test leaves a new one there"
    );
}

/// The same picture with a text in it, right behind its header, which is 33 bytes from the beginning on
/// (PNG specification, section 11.3.3.2).
fn with_text(png: &[u8], text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap();
    let chunk = [b"tEXt", text.as_bytes()].concat();
    let (header, rest) = png.split_at(33);
    [header, &length.to_be_bytes(), &chunk, &checksum(&chunk).to_be_bytes(), rest].concat()
}

/// The CRC of a chunk (PNG specification, section 5.5).
fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, &octet| {
        (0..8).fold(sum ^ u32::from(octet), |sum, _| {
            if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 }
        })
    })
}

#[test]
fn the_checksum_of_an_end_is_the_known_one() {
    // Every PNG ends with this chunk.
    assert_eq!(checksum(b"IEND"), 0xae42_6082);
}
