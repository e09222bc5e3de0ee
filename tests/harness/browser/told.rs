//! What only the browser knows: what it asked for, what it refused to do, what it brought home.

use std::fs;

use super::Browser;
use crate::json::Json;

impl Browser {
    /// The URLs that pages have asked for since this was last called, also in vain.
    #[must_use]
    #[track_caller]
    pub fn asked_for(&self) -> Vec<String> {
        let entries = self.log("performance");
        let events = entries.iter().map(|entry| {
            let event = Json::parse(entry).unwrap_or_else(|bad| panic!("{bad}: {entry}"));
            event.get("message").clone()
        });
        let begun = |event: Json| {
            let begins = event.get("method").text() == Some("Network.requestWillBeSent");
            let url = event.get("params").get("request").get("url").text();
            url.filter(|_| begins).map(str::to_owned)
        };
        events.filter_map(begun).collect()
    }

    /// What the browser complained about since this was last called: what a policy stopped, what
    /// did not load.
    #[must_use]
    #[track_caller]
    pub fn complaints(&self) -> Vec<String> {
        self.log("browser")
    }

    #[track_caller]
    fn log(&self, name: &str) -> Vec<String> {
        let log = self.post("/se/log", &Json::object([("type", name.into())]));
        let message = |entry: &Json| entry.get("message").text().unwrap_or_default().to_owned();
        log.list().iter().map(message).collect()
    }

    /// The status of the response that the page came with.
    #[must_use]
    #[track_caller]
    pub fn status(&self) -> Option<u16> {
        let status = "return performance.getEntriesByType('navigation')[0].responseStatus";
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "three digits")]
        self.run(status).number().map(|status| status as u16)
    }

    /// Waits for a file that a page gave to keep, under the name that it came with.
    #[must_use]
    #[track_caller]
    pub fn downloaded(&self, name: &str) -> Vec<u8> {
        // It has another name until it is whole. Its own is kept for it by an empty file.
        let file = self.folder().join("downloads").join(name);
        self.wait_for(name, || fs::read(&file).ok().filter(|bytes| !bytes.is_empty()))
    }
}
