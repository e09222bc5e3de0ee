//! axe-core: looks a page over for those who see badly, hear it read, or use no mouse.
//!
//! Its file comes from `AXE`; `.ci/run browser` brings it. It is run by the driver, which no policy of a
//! page stops.

use std::{env, fs};

use harness::browser::Browser;
use harness::json::Json;

/// What it finds serious or critical on the page as it stands: a line for each rule, with
/// what it asks for and the first element that is against it.
///
/// # Panics
/// If it is not there.
#[track_caller]
pub(crate) fn findings(browser: &Browser) -> Vec<String> {
    let wanted =
        "AXE names the file axe.min.js of axe-core; `.ci/run browser` brings it and sets AXE";
    let Some(file) = env::var_os("AXE") else { panic!("AXE is not set: {wanted}") };
    let axe = fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("AXE={}: {error}: {wanted}", file.to_string_lossy()));
    let found = browser.run(&format!(
        "{axe};
         return axe.run(document, {{ resultTypes: ['violations'] }}).then(({{ violations }}) =>
             violations.map(({{ impact, id, help, nodes }}) =>
                 [impact, `${{id}}: ${{help}}: ${{nodes.length}} times, first ${{nodes[0].html}}`]))"
    ));
    // One that axe gives no weight is not passed over.
    let serious = |rule: &&Json| !matches!(rule.list()[0].text(), Some("minor" | "moderate"));
    let text = |rule: &Json| rule.list()[1].text().unwrap_or_default().to_owned();
    found.list().iter().filter(serious).map(text).collect()
}

/// That it finds what is wrong, and that a page's policy does not stop it.
#[test]
fn what_is_wrong_with_a_page_is_found() {
    use harness::browser::Script;
    use harness::running::run;
    use longhand::{Request, Response, Server};

    let page = "<!DOCTYPE html><title>A page</title><main><input id=a><p>Text</p></main>";
    let site = run(Server::bind("127.0.0.1:0").unwrap(), move |_: &mut Request<'_>| {
        Response::html(page).field("Content-Security-Policy", "default-src 'none'")
    });
    let browser = Browser::start(Script::Runs);
    browser.open(&crate::at("localhost", site.address()));
    let found = findings(&browser);
    let wanted = ["html-has-lang: <html>", "label: <input id=\"a\">"];
    assert!(
        found.len() == 2
            && wanted.iter().all(|wanted| {
                let (rule, element) = wanted.split_once(": ").unwrap();
                found.iter().any(|found| found.starts_with(rule) && found.contains(element))
            }),
        "{found:#?}"
    );
}
