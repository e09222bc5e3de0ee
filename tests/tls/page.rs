//! The page of the example against rot: its lines of source are in the sources, and its bytes are ones
//! that a server takes.

use std::fs;
use std::path::Path;

use crate::server::Https;

/// Lines that the page may have.
const LONGEST: usize = 250;

fn read(file: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/https");
    fs::read_to_string(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The blocks of the page of this kind.
fn blocks(kind: &str) -> Vec<String> {
    let page = read("README.md");
    assert!(page.lines().count() <= LONGEST, "{} lines", page.lines().count());
    let fence = format!("\n```{kind}\n");
    page.split(&fence).skip(1).map(|rest| rest.split("\n```").next().unwrap().to_owned()).collect()
}

#[test]
fn the_source_that_the_page_shows_is_that_of_the_example() {
    let blocks = blocks("source");
    for block in &blocks {
        let (file, lines) = block.split_once('\n').unwrap();
        let file = file.strip_prefix("// ").expect("a file");
        assert!(read(file).contains(lines), "{file} has no such lines:\n{lines}");
    }
    assert!(!blocks.is_empty());
}

#[test]
fn the_hello_that_the_page_shows_is_one_that_the_server_takes() {
    let blocks = blocks("hello");
    let [hello] = &blocks[..] else { panic!("{} hellos", blocks.len()) };
    let mut record = Vec::new();
    for line in hello.lines() {
        // What a line means stands behind its bytes.
        let bytes = line.split("  ").next().unwrap().split(' ');
        record.extend(bytes.map(|byte| u8::from_str_radix(byte, 16).expect(line)));
    }
    let server = Https::start(&[]);
    let mut client = server.program.client();
    client.send(&record);
    client.end();
    // A record of the handshake, and in it a ServerHello.
    let answer = client.rest().unwrap();
    assert_eq!((answer[0], answer[5]), (22, 2), "{}", answer.escape_ascii());
}
