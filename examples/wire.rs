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
  --raw       add no line ends; \\r \\n \\t \\x00 in the input are the bytes they name
  --split MS  send one byte at a time, so many milliseconds apart
  --listen    be the server of one connection (default 127.0.0.1:8000)";

fn main() {
    let (mut line_end, mut split, mut listen, mut address) = (Some("\r\n"), None, false, None);
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let port = argument.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        match &*argument {
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
        send(to, line_end, split).unwrap_or_else(|error| eprintln!("\n-- not sent: {error}"));
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

/// Sends the input line by line, then ends this side.
fn send(mut to: TcpStream, line_end: Option<&str>, split: Option<Duration>) -> io::Result<()> {
    let mut line = String::new();
    while io::stdin().lock().read_line(&mut line)? > 0 {
        let text = line.trim_end_matches(['\r', '\n']);
        let end = line_end.filter(|_| line.ends_with('\n')).unwrap_or_default();
        let bytes = match line_end {
            Some(_) => [text, end].concat().into_bytes(),
            None => unescape(text).unwrap_or_else(|| {
                fail(
                    2,
                    format!("{text}: expected \\r, \\n, \\t or \\x and two hex digits after \\"),
                )
            }),
        };
        for piece in bytes.chunks(if split.is_some() { 1 } else { 4096 }) {
            to.write_all(piece)?;
            thread::sleep(split.unwrap_or_default());
        }
        line.clear();
    }
    // Where this fails, the connection is gone, and the reader says so.
    let _ = to.shutdown(Shutdown::Write);
    Ok(())
}

/// Undoes the escapes; gives nothing where one names no byte.
fn unescape(text: &str) -> Option<Vec<u8>> {
    let text = text.replace("\\r", "\\x0d").replace("\\n", "\\x0a").replace("\\t", "\\x09");
    let mut parts = text.split('\\');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(part.strip_prefix('x')?.get(..2)?, 16).ok()?);
        bytes.extend_from_slice(&part.as_bytes()[3..]);
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
