//! The X-ray: every byte that a client sends and gets, named by the parser that serves it.
//!
//! ```text
//! cargo run --example xray                             a server to poke; what passes is drawn here
//! cargo run --example xray -- --file request           explains the bytes of a file
//! cargo run --example xray -- --explain bare-lf        tells all about one refusal
//! ```

mod exchange;
mod file;
mod illustrated;
mod message;
mod page;
mod part;
mod recorder;
mod refusal;
mod routes;
mod rows;
mod style;
mod tape;
mod terminal;
#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use longhand::transport::{Acceptor, Scripted, TcpAcceptor};
use longhand::wire::Kind;
use longhand::{Limits, Request, Server};

use recorder::Log;
use routes::{Audience, Ends, routes};
use style::{Style, Tone};
use tape::Recording;
use terminal::Terminal;

const HELP: &str = "\
Shows every byte of HTTP as the server's parser reads it.

  xray                    listens on HOST (127.0.0.1) and PORT (8000) and draws what passes
  xray --file F           explains the bytes of a file, or of standard input if F is -
                          exit code: 0 accepted, 1 refused, 2 not whole
  xray --file F --html O  sends them to a server of its own, and writes a page about both sides
  xray --html O           writes a page about six exchanges; in Markdown, if O ends with .md
  xray --explain NAME     tells all about one refusal: bare-lf, host-missing, …

  --plain    ASCII alone, and no colour
  --reveal   shows the values of Cookie, Set-Cookie, Authorization and Proxy-Authorization too

COLUMNS is the width of the terminal (80); NO_COLOR=1 takes the colour away.
";

/// People type slowly.
const PATIENCE: Duration = Duration::from_secs(600);

/// What the arguments ask for.
#[derive(Default)]
struct Asked {
    file: Option<String>,
    html: Option<String>,
    explain: Option<String>,
    plain: bool,
    reveal: bool,
    help: bool,
}

fn main() -> ExitCode {
    let asked = match Asked::read(env::args().skip(1)) {
        Ok(asked) => asked,
        Err(problem) => return usage(&problem),
    };
    let style = Style::of_stdout(asked.plain);
    match (&asked.explain, &asked.file, &asked.html) {
        _ if asked.help => {
            print(HELP);
            ExitCode::SUCCESS
        }
        (Some(name), None, None) => explain(name, style),
        (None, Some(file), html) => explain_file(file, html.as_deref(), asked.reveal, style),
        (None, None, None) => serve(asked.reveal, style),
        (None, None, Some(html)) => illustrate(html),
        (Some(_), ..) => usage("--explain: expected no other option but --plain"),
    }
}

impl Asked {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut asked = Self::default();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument}: expected a value"));
            match argument.as_str() {
                "--file" => asked.file = Some(value()?),
                "--html" => asked.html = Some(value()?),
                "--explain" => asked.explain = Some(value()?),
                "--plain" => asked.plain = true,
                "--reveal" => asked.reveal = true,
                "--help" | "-h" => asked.help = true,
                _ => return Err(format!("{argument}: expected one of these\n\n{HELP}")),
            }
        }
        Ok(asked)
    }
}

fn usage(problem: &str) -> ExitCode {
    eprintln!("{problem}");
    ExitCode::from(2)
}

fn explain(name: &str, style: Style) -> ExitCode {
    let Some(kind) = Kind::named(name) else {
        let names: Vec<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        return usage(&format!("--explain {name}: expected one of {}", names.join(", ")));
    };
    print(&style.paint(Tone::Plain, &kind.explain()));
    ExitCode::SUCCESS
}

fn explain_file(name: &str, html: Option<&str>, reveal: bool, style: Style) -> ExitCode {
    let bytes = match file::read(name) {
        Ok(bytes) => bytes,
        Err(error) => return usage(&format!("--file {name}: {error}")),
    };
    let Some(html) = html else {
        let (text, outcome) = file::explained(name, &bytes, style, reveal);
        print(&text);
        if bytes.is_empty() {
            return usage(&format!("--file {name}: no byte is in it"));
        }
        return ExitCode::from(outcome as u8);
    };
    let log = Log::new(Instant::now(), Limits::default(), reveal);
    let router = routes(&log, Ends::Now, Limits::default(), Audience::All);
    let played =
        file::played(Scripted::new().send(&bytes).end(), reveal, |request| router.handle(request));
    written(html, page::seen("X-ray", &played, &played.exchanges).as_str())
}

/// Six exchanges, as a page that stands alone or as one of the documentation.
fn illustrate(html: &str) -> ExitCode {
    let text =
        if html.ends_with(".md") { illustrated::markdown() } else { illustrated::standalone() };
    written(html, &text)
}

fn written(html: &str, text: &str) -> ExitCode {
    match fs::write(html, text) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => usage(&format!("--html {html}: {error}")),
    }
}

fn serve(reveal: bool, style: Style) -> ExitCode {
    let limits = Limits {
        first_byte: PATIENCE,
        head_time: PATIENCE,
        body_grace: PATIENCE,
        idle: PATIENCE,
        connections: 200,
        ..Limits::default()
    };
    let inner = TcpAcceptor::own(setup::listener());
    let Some(address) = inner.local() else { return usage("a listener without an address") };
    // Whoever listens to others as well wants to be seen by them.
    let loopback = address.ip().is_loopback();
    let audience = if loopback { Audience::Loopback } else { Audience::All };
    let log = Log::new(Instant::now(), limits.clone(), reveal);
    let server = Server::new(Recording { inner, log: Arc::clone(&log) }).limits(limits.clone());
    let router = routes(&log, Ends::WithServer(server.handle()), limits, audience);
    let url = setup::url(address);
    print(&format!("listening on {url}\n{}", hints(&url)));

    let mut terminal = Terminal::new(style);
    log.watch(Box::new(move |connection, now| print(&terminal.news(connection, now))));
    let clock = Arc::clone(&log);
    thread::spawn(move || {
        loop {
            thread::sleep(Duration::from_millis(500));
            clock.tick();
        }
    });
    let answer = |request: &mut Request<'_>| router.handle(request);
    setup::run_quietly(server, move |event| log.tell(event), answer)
}

/// What to do now, for whoever has never seen this. Brackets are for URIs, not for `nc`.
fn hints(url: &str) -> String {
    let authority = url.trim_start_matches("http://");
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, "80"));
    let (host, minutes) = (host.trim_matches(['[', ']']), PATIENCE.as_secs() / 60);
    format!(
        "
Open that in a browser, or paste one of these; every byte is drawn here.

  curl -i -d hello {url}/echo
  printf 'GET /chunked HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n' | nc {host} {port}
  cargo run --example wire -- {authority}

A request may take {minutes} minutes here, because people type slowly; other servers give seconds.

"
    )
}

/// In one piece. That nobody reads any more is no reason to stop serving.
fn print(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
