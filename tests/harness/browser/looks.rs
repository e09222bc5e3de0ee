//! How a page looks, and what it is to those who do not look: sizes, colours, pictures, roles.

use super::Browser;
use super::driver::done;
use crate::json::Json;

/// The colours that a visitor's system asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the words of the media feature `prefers-color-scheme`")]
pub enum Colours {
    Light,
    Dark,
}

impl Browser {
    /// Gives the page so much room, in pixels: also less than any window can have.
    #[track_caller]
    pub fn resize(&self, width: u32, height: u32) {
        let size = Json::object([
            ("width", Json::Number(width.into())),
            ("height", Json::Number(height.into())),
            ("deviceScaleFactor", Json::Number(1.0)),
            ("mobile", Json::Bool(false)),
        ]);
        self.chromium("Emulation.setDeviceMetricsOverride", size);
    }

    /// Asks pages for light or dark colours, as a visitor's system would.
    #[track_caller]
    pub fn prefer(&self, colours: Colours) {
        let value = if colours == Colours::Dark { "dark" } else { "light" };
        let feature =
            Json::object([("name", "prefers-color-scheme".into()), ("value", value.into())]);
        let media = Json::object([("features", Json::List(vec![feature]))]);
        self.chromium("Emulation.setEmulatedMedia", media);
    }

    /// What the window shows, as a PNG file.
    #[must_use]
    #[track_caller]
    pub fn screenshot(&self) -> Vec<u8> {
        from_base64(&self.get_text("/screenshot"))
    }

    /// The page from its top to its bottom, in a window of this width, as a PNG file.
    #[must_use]
    #[track_caller]
    pub fn picture(&self, width: u32) -> Vec<u8> {
        self.resize(width, 1);
        // Rounded up, so that no bar to scroll with is in the picture.
        let height = "return Math.ceil(document.documentElement.getBoundingClientRect().height)";
        let height = self.run(height).number().expect("a page has a height");
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few pages")]
        self.resize(width, height as u32);
        self.screenshot()
    }

    /// What an element is to a screen reader: `button`, `textbox`, `link` (WAI-ARIA).
    #[must_use]
    #[track_caller]
    pub fn role(&self, css: &str) -> String {
        self.get_text(&format!("{}/computedrole", self.find(css)))
    }

    /// What a screen reader calls an element.
    #[must_use]
    #[track_caller]
    pub fn label(&self, css: &str) -> String {
        self.get_text(&format!("{}/computedlabel", self.find(css)))
    }

    /// A command that Chromium has and the standard does not (its developer tools' protocol).
    #[track_caller]
    fn chromium(&self, command: &str, params: Json) -> Json {
        let command = Json::object([("cmd", command.into()), ("params", params)]);
        done(self.ask("POST", "/goog/cdp/execute", Some(&command)))
    }
}

/// The octets of a base64 text (RFC 4648 section 4), whose sender is trusted to write it well.
fn from_base64(text: &str) -> Vec<u8> {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut octets = Vec::new();
    let (mut bits, mut count) = (0_usize, 0);
    for value in text.chars().filter_map(|letter| ALPHABET.find(letter)) {
        bits = (bits << 6 | value) & 0xffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            octets.push((bits >> count).to_le_bytes()[0]);
        }
    }
    octets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read() {
        for (text, octets) in [
            ("", &b""[..]),
            ("Zg==", b"f"),
            ("Zm8=", b"fo"),
            ("Zm9v", b"foo"),
            ("+/8=", b"\xfb\xff"),
        ] {
            assert_eq!(from_base64(text), octets, "{text}");
        }
    }
}
