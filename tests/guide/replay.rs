//! A transcript, played against a server: what it sends is sent, what comes back is written down.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use harness::client::NEVER;
use harness::golden::{escape, rewrites, unescape};

/// What stands in a transcript where an answer has its date.
const DATE: &str = "Date: Sun, 06 Nov 1994 08:49:37 GMT";

/// What stands for lines of an answer that are not shown; the server closes after it.
const LEFT_OUT: &str = "< …";

const CLOSES: &str = "* it closes";

/// A silence that is taken for "nothing comes"; when transcripts are written, for an answer's end.
const SILENCE: Duration = Duration::from_millis(150);

/// Plays a transcript; gives it as it went, or the line that could not be played and why.
pub(crate) fn replay(
    lines: &[String],
    address: SocketAddr,
) -> Result<Vec<String>, (usize, String)> {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.set_nodelay(true).unwrap();
    let mut went = Vec::new();
    let mut number = 0;
    while let Some(line) = lines.get(number) {
        let failed = |error: std::io::Error| (number, error.to_string());
        let bytes = |line: &str| unescape(&line[2..]).map_err(|why| (number, why));
        if line.starts_with("> ") {
            stream.write_all(&bytes(line)?).map_err(failed)?;
        } else if line.starts_with("< ") {
            // All that is received in a row is read at once, however it was cut on its way.
            let block: Vec<&String> =
                lines[number..].iter().take_while(|line| line.starts_with("< ")).collect();
            let closes = lines.get(number + block.len()).is_some_and(|line| line == CLOSES);
            let wanted = match block.contains(&&LEFT_OUT.to_owned()) {
                true if closes => usize::MAX,
                true => return Err((number, "left out, but it does not close".to_owned())),
                false => {
                    block.iter().map(|line| bytes(line).map(|b| b.len())).sum::<Result<_, _>>()?
                }
            };
            let received = receive(&mut stream, wanted).map_err(failed)?;
            let shown = shown(&received, &block);
            let differs = !rewrites() && shown.iter().ne(block.iter().copied());
            went.extend(shown);
            if differs {
                // This line is what is to be told, not what follows from it.
                return Ok(went);
            }
            number += block.len();
            continue;
        } else {
            match line.as_str() {
                "* you close" => stream.shutdown(Shutdown::Write).map_err(failed)?,
                "* nothing comes" => silence(&mut stream).map_err(|why| (number, why))?,
                CLOSES => ended(&mut stream).map_err(|why| (number, why))?,
                other => return Err((number, format!("not of a transcript: {other}"))),
            }
        }
        went.push(line.clone());
        number += 1;
    }
    // What is written down is all there was.
    if lines.last().is_some_and(|line| line.starts_with("< ")) {
        silence(&mut stream).map_err(|why| (number - 1, why))?;
    }
    Ok(went)
}

/// The lines of what was received, masked, and as many left out as in the block they are for.
fn shown(received: &[u8], block: &[&String]) -> Vec<String> {
    let line = |octets: &[u8]| match escape(octets) {
        line if line.starts_with("Date: ") => format!("< {DATE}\\r\\n"),
        line => format!("< {line}"),
    };
    let mut lines: Vec<String> =
        received.split_inclusive(|&octet| octet == b'\n').map(line).collect();
    if let Some(before) = block.iter().position(|line| *line == LEFT_OUT) {
        let behind = block.len() - before - 1;
        if before + behind < lines.len() {
            lines.splice(before..lines.len() - behind, [LEFT_OUT.to_owned()]);
        }
    }
    lines
}

/// Reads as many bytes as are written down; or, where they are to be written, until silence.
fn receive(stream: &mut TcpStream, wanted: usize) -> std::io::Result<Vec<u8>> {
    let (wanted, patience) = if rewrites() { (usize::MAX, 4 * SILENCE) } else { (wanted, NEVER) };
    stream.set_read_timeout(Some(patience))?;
    let mut received = Vec::new();
    let mut bytes = [0; 4096];
    while received.len() < wanted {
        let room = bytes.len().min(wanted - received.len());
        match stream.read(&mut bytes[..room]) {
            Ok(0) => break,
            Ok(count) => received.extend_from_slice(&bytes[..count]),
            Err(error) if is_late(&error) && rewrites() => break,
            Err(error) => return Err(error),
        }
    }
    Ok(received)
}

/// The server says nothing and stays. What would come late is not noticed: this may pass where it
/// should not, and never fails where it should pass.
fn silence(stream: &mut TcpStream) -> Result<(), String> {
    stream.set_read_timeout(Some(SILENCE)).unwrap();
    let mut bytes = [0; 4096];
    match stream.read(&mut bytes) {
        Ok(0) => Err("it closes".to_owned()),
        Ok(count) => Err(format!("more comes: {}", escape(&bytes[..count]))),
        Err(error) if is_late(&error) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

/// The server ends its side, and says nothing before.
fn ended(stream: &mut TcpStream) -> Result<(), String> {
    stream.set_read_timeout(Some(NEVER)).unwrap();
    let mut bytes = [0; 4096];
    match stream.read(&mut bytes) {
        Ok(0) => Ok(()),
        Ok(count) => Err(format!("more comes: {}", escape(&bytes[..count]))),
        Err(error) => Err(format!("it does not close: {error}")),
    }
}

fn is_late(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
