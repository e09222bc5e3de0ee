//! The pages of `xray`: all that was sent is in them, as text, and nothing else is loaded or run.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::thread;
use std::time::Instant;

use harness::answer::Answer;
use harness::client::{Client, NEVER};
use harness::golden::rewrites;
use harness::program::{Folder, Program, command, run};
use longhand::Limits;
use longhand::wire::{Kind, explain};
use longhand_kit::{base64, mac};

/// What a browser sends, as long as they get.
const BROWSER: &str = "GET / HTTP/1.1\r\nHost: localhost:8000\r\nConnection: keep-alive\r\n\
    Cache-Control: max-age=0\r\nsec-ch-ua: \"Chromium\";v=\"148\", \"Not/A)Brand\";v=\"99\"\r\n\
    sec-ch-ua-mobile: ?0\r\nsec-ch-ua-platform: \"Linux\"\r\nUpgrade-Insecure-Requests: 1\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
    Chrome/148.0.0.0 Safari/537.36\r\nAccept: text/html,application/xhtml+xml,application/xml;q=0.9,\
    image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7\r\n\
    Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-User: ?1\r\n\
    Sec-Fetch-Dest: document\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n\
    Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\nCookie: session=geheim; theme=dark\r\n\r\n";

fn server() -> Program {
    Program::start(command("xray", &[("PORT", "0")]))
}

fn page(client: &mut Client, path: &str) -> Answer {
    let answer = client.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")).answer();
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer
}

/// What a page must not have: scripts, anything to load, bytes as they came.
fn assert_inert(page: &str) {
    for banned in ["<script", " src=", "url(", "@import", "<link", " style=", " onload", "<img"] {
        assert!(!page.contains(banned), "{banned}: {page}");
    }
    assert!(page.chars().all(|one| one == '\n' || !one.is_control()), "a control character");
    let links = page.match_indices("href=\"http").map(|(at, _)| &page[at..]);
    for link in links {
        assert!(link.starts_with("href=\"https://www.rfc-editor.org/rfc/rfc"), "{:.60}", link);
    }
}

/// The digits and the character of a cell, behind its `data-x=`.
fn cell(text: &str) -> (&str, &str) {
    let (digits, rest) = text.split_once(['>', ' ']).unwrap();
    let rest = rest.strip_prefix("class=k>").unwrap_or(rest);
    (digits, rest.split("</i>").next().unwrap())
}

#[test]
fn the_first_page_has_every_run_of_its_own_request_with_what_it_means() {
    let answer = server().client().send(BROWSER).answer();
    let page = answer.text();
    assert!(page.len() <= 64 << 10, "{} bytes", page.len());
    assert_inert(&page);
    let spans = explain(BROWSER.as_bytes(), &Limits::default()).spans;
    assert!(spans.len() > 80 && spans.last().unwrap().1.end == BROWSER.len());
    for (index, (part, at)) in spans.iter().enumerate() {
        let place = match at.len() {
            1 => format!(", byte {}", at.start),
            _ => format!(", bytes {} to {}", at.start, at.end - 1),
        };
        let link = format!("id=\"q{index}\" href=\"#q{index}r\"");
        let drawn = page.split(&link).nth(1).expect(&link).split("</a>").next().unwrap();
        assert!(drawn.contains(&place), "{part:?}: {drawn}");
        let cells: Vec<_> = drawn.split("<i data-x=").skip(1).map(cell).collect();
        assert_eq!(cells.len(), at.len(), "{part:?}: {drawn}");
        for (byte, (digits, glyph)) in BROWSER.bytes().skip(at.start).zip(cells) {
            let secret = (digits, glyph) == ("••", "•") && BROWSER[at.clone()].contains("geheim");
            let wanted = match byte {
                b'\r' => "CR".to_owned(),
                b'\n' => "LF".to_owned(),
                b'"' => "&quot;".to_owned(),
                _ => char::from(byte).to_string(),
            };
            assert!(secret || (digits, glyph) == (&*format!("{byte:02x}"), &*wanted), "{drawn}");
        }
        let row = page.split(&format!("<tr id=\"q{index}r\"")).nth(1).expect("its row");
        let row = row.split("</tr>").next().unwrap();
        assert!(row.contains(&format!("href=\"#q{index}\"")) && row.contains("<td><b>"), "{row}");
        let text = BROWSER[at.clone()].replace('"', "&quot;").replace(' ', "");
        let is_shown = row.replace(' ', "").contains(text.trim_end()) || text.contains("geheim");
        assert!(is_shown || at.len() < 3, "{part:?}: {row}");
    }
    for words in ["Asks for what the target names", "Which site is meant", "RFC 9110 §12.5.1"] {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains("geheim") && !page.contains("67 65 68 65 69 6d"), "a secret");
}

#[test]
fn the_policy_lets_the_one_style_in_and_nothing_else() {
    let program = server();
    let mut client = program.client();
    for path in ["/", "/try", "/try?bytes=GET", "/form", "/seen/1/1"] {
        let answer = page(&mut client, path);
        let text = answer.text();
        let style = text.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
        let hash = base64::encode(mac::sha256(style.as_bytes()));
        let policy = answer.field("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert!(policy.contains(&hash), "{path}: {policy}");
        assert_eq!(text.matches("<style").count(), 1, "{path}");
        assert_eq!(text.matches("<h1>").count(), 1, "{path}");
        assert_inert(&text);
    }
}

#[test]
fn hostile_bytes_are_text() {
    let program = server();
    let mut hostile = program.client();
    hostile.send("GET /'><img HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(hostile.answer().status, 400);
    let mut hostile = program.client();
    hostile.send(b"GET /hi HTTP/1.1\r\nHost: localhost\r\nX: </td><script>alert(\"1\")</script>'\xff\xfe\r\n\r\n");
    assert_eq!(hostile.answer().status, 404);
    let mut hostile = program.client();
    hostile.send(b"GET /\x1b[2J\x00\xff<script> HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(hostile.answer().status, 400);
    let mut client = program.client();
    for path in ["/", "/seen/1/1", "/seen/2/1", "/seen/3/1"] {
        assert_inert(&page(&mut client, path).text());
    }
    let second = page(&mut client, "/seen/2/1").text();
    assert!(second.contains("&lt;/td&gt;&lt;script&gt;alert(&quot;1&quot;)"), "{second}");
    assert!(second.contains("data-x=ff class=k>·</i>"), "{second}");
    let third = page(&mut client, "/seen/3/1").text();
    assert!(third.contains("<mark>ESC</mark>") && third.contains("^ byte 5"), "{third}");
    let typed = "/try?bytes=GET+%2F%3Cscript%3E%00%1B%FF";
    assert_eq!(
        client.send(format!("GET {typed} HTTP/1.1\r\nHost: x\r\n\r\n")).answer().status,
        400
    );
    let typed = "/try?bytes=%3C%2Ftextarea%3E%3Cscript%3E%5Cx00%5Cx1b%5Cxff";
    assert_inert(&page(&mut client, typed).text());
}

#[test]
fn both_sides_are_seen_with_refusals_and_silence() {
    let program = server();
    let mut chunked = program.client();
    chunked.send("GET /chunked HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").answer();
    // What was written is recorded once it has gone: a moment later, it may be.
    let _ = program.said("conn 1 closed");
    let mut refused = program.client();
    refused.send("GET /hi HTTP/1.1\nHost: localhost\n\n").answer();
    drop(refused);
    let _ = program.said("conn 2 closed");
    let silent = program.client();
    let _ = program.said("conn 3 open");
    let mut client = program.client();
    let seen = page(&mut client, "/seen/2/1").text();
    for words in [
        "<strong>bare-lf</strong>",
        "found LF (0a), expected CR LF",
        "^ byte 16",
        "<dt>Whose</dt><dd>The RFC lets a server choose",
        "400 Bad Request, then closed",
        "<h3>Response ",
    ] {
        assert!(seen.contains(words), "{words}: {seen}");
    }
    let seen = page(&mut client, "/seen/1/1").text();
    assert!(seen.contains("b in hexadecimal is 11") && seen.contains(">trailers "), "{seen}");
    let home = page(&mut client, "/").text();
    assert!(
        home.contains("no byte yet: browsers do this") && home.contains(">GET /hi 400</a>"),
        "{home}"
    );
    assert!(home.contains("<h2>Connection 4, request 3"), "{home}");
    drop(silent);
    client.send("GET /seen/9/9 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(client.answer().status, 404);
}

#[test]
fn the_live_page_grows_with_each_request() {
    let program = server();
    let mut live = program.client();
    live.send("GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n");
    live.expect_bytes(b"in a chunk of its own.</p>\n");
    let mut client = program.client();
    client.get("/status/418").answer();
    live.expect_bytes(b"GET /status/418 418</small></h2>");
    live.expect_bytes(b"</article>\n");
    client.get("/redirect").answer();
    live.expect_bytes(b"GET /redirect 303</small></h2>");
}

#[test]
fn samples_to_try_are_refused_for_what_they_are_called() {
    let program = server();
    let mut client = program.client();
    let form = page(&mut client, "/try").text();
    let samples: Vec<_> = form.split("<li><a href=\"").skip(1).collect();
    assert_eq!(samples.len(), 15);
    for sample in samples {
        let path = sample.split('"').next().unwrap();
        let name = sample.split('>').nth(1).unwrap().trim_end_matches("</a");
        let tried = page(&mut client, path).text();
        let at = Kind::named(name).unwrap().sample().at;
        assert!(tried.contains(&format!("<strong>{name}</strong>")), "{name}: {tried}");
        assert!(
            tried.contains(&format!("^ byte {at}\n")) || tried.contains(&format!("^ byte {at}<")),
            "{name}"
        );
    }
    let two =
        page(&mut client, "/try?bytes=HTTP/1.1+204+No+Content%5Cr%5Cn%5Cr%5CnHTTP/1.1+2").text();
    assert!(two.contains("<h2>Message 2</h2>") && two.contains("<h3>Response "), "{two}");
}

#[test]
fn the_illustrated_exchanges_of_the_documentation_are_what_the_parser_says() {
    let folder = Folder::new();
    let make = |name: &str| {
        let file = folder.file(name);
        let mut command = command("xray", &[]);
        command.args(["--html", &file]);
        assert_eq!(run(command), (0, String::new(), String::new()));
        let text = fs::read_to_string(&file).unwrap();
        fs::remove_file(&file).unwrap();
        text
    };
    let stored =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/longhand/src/wire/illustrated.md");
    let made = make("page.md");
    if rewrites() {
        fs::write(&stored, &made).unwrap();
    }
    assert!(
        fs::read_to_string(&stored).unwrap() == made,
        "{}: GOLDEN=write writes it anew",
        stored.display()
    );
    let drawn =
        made.split("<div class=\"xray\">\n").skip(1).map(|rest| rest.split("\n\n").next().unwrap());
    assert_eq!(drawn.clone().count(), 6);
    for drawn in drawn {
        assert!(drawn.trim_end().ends_with("</div>"), "an empty line ends HTML in Markdown");
        assert_inert(drawn);
    }
    assert!(
        made.contains("value localhost, field value, bytes 27 to 35, read 3 begins at byte 33")
    );
    let ids: Vec<_> =
        made.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let mut distinct = ids.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), ids.len(), "names of places are told apart");
    assert_inert(&make("page.html"));
}

/// Those who look at `/live`, once each has its page.
fn watching(program: &Program, readers: usize) -> Vec<Client> {
    let mut all: Vec<_> = (0..readers).map(|_| program.client()).collect();
    for live in &mut all {
        live.send("GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n");
        live.expect_bytes(b"in a chunk of its own.</p>\n");
    }
    all
}

#[test]
fn many_who_watch_do_not_make_it_forget_what_they_watch_for() {
    let program = server();
    let mut all = watching(&program, 60);
    assert_eq!(program.client().get("/status/418").answer().status, 418);
    for live in &mut all {
        live.expect_bytes(b"GET /status/418 418</small></h2>");
    }
}

#[test]
fn those_who_watched_and_are_gone_hold_no_seats() {
    let program = server();
    // As many as it has seats for: nothing is answered any more that could be written to them.
    drop(watching(&program, 200));
    let begun = Instant::now();
    loop {
        let mut client = program.client();
        // Who finds no place may be closed before it has written.
        let _ = client.stream.write_all(b"GET /status/204 HTTP/1.1\r\nHost: x\r\n\r\n");
        if client.try_answer().is_ok_and(|answer| answer.status == 204) {
            break;
        }
        assert!(begun.elapsed() < NEVER, "nobody is served any more");
        thread::yield_now();
    }
}
