//! The bookmark server as a visitor uses it.
//!
//! The parts: saving (`saving`); what holds on every page (`pages`); what others chose and what the policy
//! stops (`policy`).

mod pages;
mod policy;
mod saving;

use harness::browser::Browser;

/// Fills in the form and sends it by its button.
pub(crate) fn save(browser: &Browser, uri: &str, name: &str) {
    browser.type_into("#longuri", uri);
    browser.type_into("#shortname", name);
    browser.follow("button");
}
