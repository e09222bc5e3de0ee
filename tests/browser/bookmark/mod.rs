//! The bookmark server as a visitor uses it.
//!
//! The parts: saving (`saving`), edits and deletions (`changing`), search, order and pages of many
//! (`finding`), files in and out (`transfer`), who may do what (`people`), and all of that without a mouse
//! (`keys`); what holds on every page (`pages`); what others chose and what the policy stops (`policy`);
//! the picture in the README (`picture`).

mod changing;
mod finding;
mod keys;
mod pages;
mod people;
mod picture;
mod policy;
mod saving;
mod transfer;

use harness::browser::{Browser, Script};
use longhand_kit::auth::PasswordHash;

use crate::Bookmark;

/// A visitor whose browser runs script, and one who has switched it off.
pub(crate) const BOTH: [Script; 2] = [Script::Runs, Script::Off];

/// A server whose password is "open", of 1,000 rounds: a hash that a test has time for.
pub(crate) fn locked(more: &[(&str, &str)]) -> Bookmark {
    let hash = PasswordHash::make("open", 1_000).unwrap().to_string();
    Bookmark::start_with(&[&[("PASSWORD", &*hash)], more].concat())
}

/// Fills in the form and sends it by its button.
pub(crate) fn save(browser: &Browser, uri: &str, name: &str) {
    browser.type_into("#longuri", uri);
    browser.type_into("#shortname", name);
    browser.follow("main form button");
}

/// Signs in on the page that asks for it.
pub(crate) fn sign_in(browser: &Browser, password: &str) {
    browser.type_into("#password", password);
    browser.follow("main form button");
}

/// A line of a file to import.
pub(crate) fn line(name: &str, uri: &str) -> String {
    format!("{{\"name\":\"{name}\",\"uri\":\"{uri}\"}}\n")
}
