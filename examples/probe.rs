//! A server with one path for each thing that can be done wrong: for conformance checks and load.
//!
//! ```text
//! cargo run --release --example probe
//! curl -i --data hello http://127.0.0.1:8000/echo
//! ```
//!
//! | path | answer |
//! | --- | --- |
//! | `/` | 200 `Hello, World!`; GET and HEAD |
//! | `/echo` | the body, byte for byte |
//! | `/headers` | one `name: value` a line, as received |
//! | `/ignore` | 200 `ignored`; the body is never read |
//! | `/close` | 200 with `Connection: close` |
//! | `/stream` | three flushed parts of a body of unknown length |
//! | `/panic` | panics |
//! | `/status/204`, `/status/304` | that status |
//! | `/sleep?ms=N` | 200 after N milliseconds |
//! | `/1k`, `/1m` | from memory |
//! | `/file` | the file that `PROBE_FILE` names |
//! | `/upgrade` | 101 to the protocol `echo`: what comes goes back |
//!
//! Each field of `Limits` is set by `PROBE_` and its name in capitals, times in milliseconds with
//! `_MS` behind: `PROBE_BODY=10485760`, `PROBE_IDLE_MS=2000`.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use longhand::{IntoResponse, Limits, Reply, Request, Response, Status, Upgraded};

fn main() -> ExitCode {
    let one_m = b"0123456789abcdef".repeat(65_536);
    let file = std::env::var_os("PROBE_FILE");
    // Its handlers call little, and it is made for many connections: with stacks of 256 KiB, nearly eight
    // share a page table, of 1 MiB not two (16.6 KiB of the kernel's memory each, instead of 18.1).
    let server = setup::bind().limits(limits()).stack_size(256 << 10);
    setup::run(server, |request: &mut Request<'_>| {
        answer(request, &one_m, file.as_deref().map(Path::new))
    })
}

pub(crate) fn answer<'s>(
    request: &mut Request<'_>,
    one_m: &'s [u8],
    file: Option<&Path>,
) -> io::Result<Reply<'s>> {
    Ok(match request.path() {
        "/" if matches!(request.method(), "GET" | "HEAD") => Response::text("Hello, World!"),
        "/echo" => Response::bytes("application/octet-stream", request.body().read_all()?),
        "/headers" => Response::bytes("text/plain; charset=utf-8", header_lines(request)),
        "/ignore" => Response::text("ignored"),
        "/close" => Response::text("closing").close(),
        "/stream" => Response::stream("text/plain; charset=utf-8", |out| {
            for part in 1..=3 {
                writeln!(out, "part-{part}")?;
                out.flush()?;
            }
            Ok(())
        }),
        "/panic" => panic!("asked to"),
        "/status/204" => Response::new(Status::NO_CONTENT),
        "/status/304" => Response::new(Status::NOT_MODIFIED),
        "/sleep" => sleep(request.query()),
        "/1k" => Reply::bytes("application/octet-stream", &one_m[..1024]),
        "/1m" => Reply::bytes("application/octet-stream", one_m),
        "/file" => match file {
            Some(file) => Response::file("application/octet-stream", File::open(file)?)?,
            None => Response::text("PROBE_FILE is not set\n").status(Status::NOT_FOUND),
        },
        "/upgrade" => Response::upgrade("echo", echo),
        _ => Status::NOT_FOUND.into_response(),
    })
}

fn header_lines(request: &Request<'_>) -> Vec<u8> {
    let mut lines = Vec::new();
    for (name, value) in request.fields().iter() {
        lines.extend_from_slice(name.as_bytes());
        lines.extend_from_slice(b": ");
        lines.extend_from_slice(value);
        lines.push(b'\n');
    }
    lines
}

fn sleep(query: Option<&str>) -> Response {
    let wanted = query.and_then(|query| query.strip_prefix("ms=")).and_then(|ms| ms.parse().ok());
    let Some(ms) = wanted else {
        return Response::text("expected ?ms=N, a number of milliseconds\n")
            .status(Status::BAD_REQUEST);
    };
    thread::sleep(Duration::from_millis(ms));
    Response::text("slept")
}

fn echo(mut stream: Upgraded<'_>) -> io::Result<()> {
    let mut bytes = [0; 4096];
    loop {
        let count = stream.read(&mut bytes)?;
        if count == 0 {
            return Ok(());
        }
        stream.write_all(&bytes[..count])?;
    }
}

pub(crate) fn limits() -> Limits {
    let default = Limits::default();
    let bytes = |name: &str, default: usize| setup::setting(name, default, "a number");
    let many = |name: &str, default: u64| setup::setting(name, default, "a number");
    Limits {
        target: bytes("PROBE_TARGET", default.target),
        head: bytes("PROBE_HEAD", default.head),
        fields: bytes("PROBE_FIELDS", default.fields),
        body: many("PROBE_BODY", default.body),
        body_overhead: bytes("PROBE_BODY_OVERHEAD", default.body_overhead),
        first_byte: setup::millis("PROBE_FIRST_BYTE_MS", default.first_byte),
        head_time: setup::millis("PROBE_HEAD_TIME_MS", default.head_time),
        body_grace: setup::millis("PROBE_BODY_GRACE_MS", default.body_grace),
        body_rate: many("PROBE_BODY_RATE", default.body_rate),
        write_stall: setup::millis("PROBE_WRITE_STALL_MS", default.write_stall),
        idle: setup::millis("PROBE_IDLE_MS", default.idle),
        drain: many("PROBE_DRAIN", default.drain),
        linger: setup::millis("PROBE_LINGER_MS", default.linger),
        linger_time: setup::millis("PROBE_LINGER_TIME_MS", default.linger_time),
        linger_bytes: many("PROBE_LINGER_BYTES", default.linger_bytes),
        connections: bytes("PROBE_CONNECTIONS", default.connections),
    }
}
