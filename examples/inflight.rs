//! A page with sixteen frames, each of which takes up to a second and tells how many of them were in
//! flight when it was asked for. So one sees how many requests a browser has open at once, and that
//! a server with a thread for each connection lets none wait for another.
//!
//! ```text
//! cargo run --example inflight
//! open http://127.0.0.1:8000/ in a browser, or, with as many connections as requests:
//! curl -Z --parallel-immediate --parallel-max 16 'http://127.0.0.1:8000/frames/[1-16]'
//! ```

use std::hash::{BuildHasher, RandomState};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use longhand::{IntoResponse, Request, Response};
use longhand_kit::html::Html;
use longhand_kit::router::{self, Router};

const FRAMES: u32 = 16;

const HEAD: &str = "\
<!DOCTYPE html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<style>
:root { color-scheme: light dark; font: 100%/1.5 system-ui, sans-serif; }
body { max-width: 42rem; margin: 0 auto; padding: 1rem; }
.frames { display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: .5rem; }
p { margin: 0 0 1rem; }
iframe { width: 100%; height: 7rem; border: 1px solid #8886; border-radius: .5rem; }
</style>
";

fn main() -> ExitCode {
    let in_flight = AtomicUsize::new(0);
    let router = Router::new()
        .route("GET /", |_| page())
        .route("GET /frames/{number}", |request| frame(request, &in_flight));
    setup::run(setup::bind(), |request: &mut Request<'_>| router.handle(request))
}

fn page() -> Html {
    let mut page = Html::new();
    page.raw(HEAD).raw("<title>In flight</title>\n<h1>In flight</h1>\n<p>Each of these ");
    page.text(FRAMES).raw(
        " frames is a request that takes up to a second. A browser keeps about six \
         connections to a server, and the frames without one wait until another is free. \
         <a href=\"/\">Again</a>\n<div class=\"frames\">\n",
    );
    for number in 1..=FRAMES {
        // Frames of one address would be fetched one after another: the first might be cached.
        page.raw("<iframe").attribute("src", format_args!("/frames/{number}"));
        page.attribute("title", format_args!("frame {number}")).raw("></iframe>\n");
    }
    page.raw("</div>\n");
    page
}

fn frame(request: &Request<'_>, in_flight: &AtomicUsize) -> Result<Response, Response> {
    let number: u32 = router::parse_param(request, "number")?;
    let (_flying, count) = Flying::enter(in_flight);
    // A hash under a key that is new each time: std's only source of numbers that vary.
    let millis = RandomState::new().hash_one(number) % 1_000;
    thread::sleep(Duration::from_millis(millis));
    let mut page = Html::new();
    page.raw(HEAD).raw("<title>Frame ").text(number).raw("</title>\n<p><strong>").text(count);
    page.raw(" in flight</strong><br>frame ").text(number).raw("<br>").text(millis).raw(" ms\n");
    Ok(page.into_response().field("Cache-Control", "no-store"))
}

/// A request that is counted for as long as this lives: also if its handler panics.
struct Flying<'a>(&'a AtomicUsize);

impl<'a> Flying<'a> {
    fn enter(in_flight: &'a AtomicUsize) -> (Self, usize) {
        let before = in_flight.fetch_add(1, Ordering::Relaxed);
        (Self(in_flight), before + 1)
    }
}

impl Drop for Flying<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
