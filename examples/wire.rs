//! A wire to a server, or to a browser: what you type is sent, and each byte that comes is shown.
//!
//! ```text
//! cargo run --example wire -- 127.0.0.1:8000
//! cargo run --example wire -- --listen
//! ```
//!
//! A line ends with CR LF on the wire, whatever the keyboard sends; a last line without an end is
//! sent without one. When the input ends (Ctrl-D; Ctrl-Z and Enter on Windows) this side ends too, and
//! what still comes is shown: CR LF as `␍␊`, other controls by their pictures, from 80 hex on `\xe2`.

use std::io::{self, BufRead, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::{env, fmt::Display, process::exit, thread, time::Duration};

const USAGE: &str = "usage: wire [--lf | --raw] [--split MS] HOST:PORT
       wire [--lf | --raw] [--split MS] --listen [HOST:PORT]
  --lf        end lines with LF alone, to see it refused
  --raw       add no line ends, Enter sends nothing; \\r \\n \\t \\\\ \\x00 are the bytes they name
  --split MS  send one byte at a time, so many milliseconds apart
  --listen    be the server of one connection (default 127.0.0.1:8000)";

fn main() {
    let (mut line_end, mut split, mut listen, mut address) = (Some("\r\n"), None, false, None);
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let port = argument.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        match &*argument {
            "--help" | "-h" => return println!("{USAGE}"),
            "--lf" => line_end = Some("\n"),
            "--raw" => line_end = None,
            "--listen" => listen = true,
            "--split" => match arguments.next().unwrap_or_default().parse() {
                Ok(ms) => split = Some(Duration::from_millis(ms)),
                Err(_) => fail(2, format!("--split: expected a number of milliseconds\n{USAGE}")),
            },
            _ if port.is_some() && address.is_none() => address = Some(argument),
            found => fail(2, format!("{found}: expected HOST:PORT\n{USAGE}")),
        }
    }
    let address = address.or_else(|| listen.then(|| "127.0.0.1:8000".to_owned()));
    let address = address.unwrap_or_else(|| fail(2, USAGE));
    let stream = if listen { accept(&address) } else { TcpStream::connect(&address) };
    // Without delay: each piece goes out when it is written, not when there is enough of it.
    let both =
        stream.and_then(|stream| Ok((stream.try_clone()?, stream.set_nodelay(true)?, stream)));
    let (to, (), from) = both.unwrap_or_else(|error| fail(1, format!("{address}: {error}")));
    let sender = thread::spawn(move || {
        let mut to = to;
        send(&mut to, line_end, split).unwrap_or_else(|error| eprintln!("\n-- not sent: {error}"));
        // Where this fails, the connection is gone, and the reader says so.
        let _ = to.shutdown(Shutdown::Write);
    });
    receive(from).unwrap_or_else(|error| fail(1, format!("\n-- broken off: {error}")));
    eprintln!("\n-- the peer has ended its side");
    // A server by hand still answers a client that has said all it had to say.
    let _ = listen.then(|| sender.join());
}

fn fail(code: i32, why: impl Display) -> ! {
    eprintln!("{why}");
    exit(code)
}

fn accept(address: &str) -> io::Result<TcpStream> {
    let listener = TcpListener::bind(address)?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(listener.accept()?.0)
}

/// Sends the input line by line, whatever its bytes.
fn send(to: &mut TcpStream, line_end: Option<&str>, split: Option<Duration>) -> io::Result<()> {
    let mut line = Vec::new();
    while io::stdin().lock().read_until(b'\n', &mut line)? > 0 {
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        let end = line_end.filter(|_| text.len() < line.len()).unwrap_or_default();
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let bytes = match line_end {
            Some(_) => [text, end.as_bytes()].concat(),
            None => unescape(text).unwrap_or_else(|| {
                let text = String::from_utf8_lossy(text);
                fail(2, format!("{text}: expected r, n, t, \\ or x and two hex digits after \\"))
            }),
        };
        for piece in bytes.chunks(if split.is_some() { 1 } else { 4096 }) {
            to.write_all(piece)?;
            thread::sleep(split.unwrap_or_default());
        }
        line.clear();
    }
    Ok(())
}

/// Undoes the escapes; gives nothing where one names no byte.
fn unescape(mut text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let mut bytes = Vec::new();
    while !text.is_empty() {
        let (byte, after) = match text {
            [b'\\', b'r', after @ ..] => (b'\r', after),
            [b'\\', b'n', after @ ..] => (b'\n', after),
            [b'\\', b't', after @ ..] => (b'\t', after),
            [b'\\', b'\\', after @ ..] => (b'\\', after),
            [b'\\', b'x', high, low, after @ ..] => {
                (u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()?, after)
            }
            [b'\\', ..] | [] => return None,
            [byte, after @ ..] => (*byte, after),
        };
        bytes.push(byte);
        text = after;
    }
    Some(bytes)
}

/// Shows what comes until the peer ends.
fn receive(mut from: TcpStream) -> io::Result<()> {
    let mut bytes = [0; 4096];
    let mut count = from.read(&mut bytes)?;
    while count > 0 {
        bytes[..count].iter().for_each(|&byte| print!("{}", shown(byte)));
        io::stdout().flush()?;
        count = from.read(&mut bytes)?;
    }
    Ok(())
}

fn shown(byte: u8) -> String {
    match byte {
        b'\n' => "␊\n".to_owned(),
        0..0x20 => String::from_iter(char::from_u32(0x2400 + u32::from(byte))),
        0x7f => "␡".to_owned(),
        0x80.. => format!("\\x{byte:02x}"),
        _ => char::from(byte).to_string(),
    }
}
