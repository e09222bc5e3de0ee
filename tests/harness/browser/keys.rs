//! A visitor without a mouse: keys go to whatever has the focus.

use super::Browser;
use crate::json::Json;

/// Keys that are no letters (`WebDriver`, section 17.4.2, Keyboard actions).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the key of that name")]
pub enum Key {
    Tab,
    Enter,
    Space,
}

impl Key {
    fn code(self) -> char {
        match self {
            Self::Tab => '\u{e004}',
            Self::Enter => '\u{e007}',
            Self::Space => ' ',
        }
    }
}

impl Browser {
    /// Presses a key and lets it go.
    #[track_caller]
    pub fn press(&self, key: Key) {
        self.strike([key.code()]);
    }

    /// Types a text, key by key.
    #[track_caller]
    pub fn type_keys(&self, text: &str) {
        self.strike(text.chars());
    }

    /// Presses Tab until an element has the focus. `css` may fit several: the first that is reached
    /// counts.
    ///
    /// # Panics
    /// If the focus comes round to where it has been and did not meet it.
    #[track_caller]
    pub fn tab_to(&self, css: &str) {
        let there = format!("return document.activeElement.matches({})", Json::from(css));
        // More often than any page of these tests has places to stop at.
        for _ in 0..1_000 {
            self.press(Key::Tab);
            if self.run(&there) == Json::Bool(true) {
                return;
            }
        }
        panic!("{css}: not reached by the Tab key; the page:\n{}", self.source());
    }

    #[track_caller]
    fn strike(&self, keys: impl IntoIterator<Item = char>) {
        let stroke = |key: char| {
            ["keyDown", "keyUp"].map(|kind| {
                Json::object([("type", kind.into()), ("value", key.to_string().into())])
            })
        };
        let strokes = keys.into_iter().flat_map(stroke).collect();
        let keyboard = Json::object([
            ("type", "key".into()),
            ("id", "keyboard".into()),
            ("actions", Json::List(strokes)),
        ]);
        self.post("/actions", &Json::object([("actions", Json::List(vec![keyboard]))]));
    }
}
