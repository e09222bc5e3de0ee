//! The page of `inflight`, whose frames count the requests that a browser has open at once.

use harness::browser::{Browser, Script};
use harness::json::Json;
use harness::program::{Program, command};

#[test]
fn a_browser_has_more_than_one_request_in_flight() {
    let program = Program::start(command("inflight", &[("PORT", "0")]));
    let browser = Browser::start(Script::Runs);
    browser.open(&program.url);
    assert_eq!(browser.title(), "In flight");
    // The page has loaded when all of its frames have.
    let counts = browser.run(
        "return [...document.querySelectorAll('iframe')]
             .map(frame => parseInt(frame.contentDocument.querySelector('strong').innerText))",
    );
    let counts: Vec<f64> = counts.list().iter().filter_map(Json::number).collect();
    assert_eq!(counts.len(), 16);
    assert!(counts.iter().any(|&count| count > 1.0), "{counts:?}");
    assert!(counts.iter().all(|&count| count <= 16.0), "{counts:?}");
}
