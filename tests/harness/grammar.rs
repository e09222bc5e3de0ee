//! Inputs that know HTTP's grammar: mostly right, and wrong in the places where it matters.
//!
//! A sequence of random numbers enters; out come the bytes of one input for the laws of the same name.
//! One input of four is mutated besides.

use longhand::wire::encode_chunk_size;

use crate::random::Random;

/// A generator of inputs.
pub type Generator = fn(&mut Random) -> Vec<u8>;

/// All of them, by the name of their laws.
pub const ALL: &[(&str, Generator)] = &[
    ("head", head),
    ("chunked", chunked),
    ("conversation", conversation),
    ("responses", responses),
    ("cookies", cookies),
    ("forms", forms),
    ("multipart", multipart),
    ("ranges", ranges),
    ("paths", paths),
    ("forwarded", forwarded),
    ("values", values),
];

/// The input of this seed: what `generate` makes of it, one time of four with mutations.
#[must_use]
pub fn input(generate: Generator, seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    let bytes = generate(&mut random);
    if random.below(4) > 0 {
        return bytes;
    }
    let other = generate(&mut random);
    random.mutate(&bytes, &other)
}

const METHODS: &[&str] =
    &["GET", "GET", "HEAD", "POST", "POST", "PUT", "OPTIONS", "CONNECT", "get", "M-SEARCH", "!#$"];

const SEGMENTS: &[&str] = &[
    "a",
    "b.txt",
    "head.rs",
    "..",
    ".",
    "",
    ".git",
    "%2e%2e",
    "%2F",
    "%5c",
    "%00",
    "%41",
    "%C3%A9",
    "%ff",
    "host.md",
    "README.md",
    "fields.md",
    "caf%c3%a9",
    "~u",
    "a;b=c",
    "%zz",
    "%",
    "a%20b",
];

const HOSTS: &[&str] = &[
    "x",
    "example.com",
    "example.com:80",
    "[::1]",
    "[::1]:8080",
    "127.0.0.1",
    "[v1.a]",
    "a_b",
    "%41",
    "",
    "x:",
    "x:99999",
    "[::g]",
    "u@x",
    "caf\u{e9}",
];

const FIELDS: &[&str] = &[
    "Accept: */*",
    "Cookie: a=1; b=\"2\"",
    "X-Empty:",
    "X: \t spaced \t",
    "Connection: close",
    "Connection: keep-alive, X-Mine",
    "Connection: ,, upgrade ,",
    "Upgrade: websocket",
    "TE: trailers",
    "Expect: 100-continue",
    "Range: bytes=0-1",
    "X-Mine: \u{e9}\u{fc}",
    "Content-Type: text/plain; charset=\"utf-8\"",
];

const BAD_FIELDS: &[&str] = &[
    "X : y",
    " folded",
    ": no name",
    "no colon",
    "X: a\rb",
    "X: a\u{0}b",
    "Host: again",
    "Expect: 200-maybe",
    "Content-Length: +1",
    "Content-Length: 1, 2",
    "Content-Length: 18446744073709551616",
    "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: chunked, chunked",
    "Transfer-Encoding: \"chunked\"",
];

fn word<'w>(random: &mut Random, words: &[&'w str]) -> &'w str {
    words[random.below(words.len())]
}

/// A path with what may follow it.
fn target(random: &mut Random) -> String {
    let mut path = String::new();
    for _ in 0..=random.below(4) {
        path = path + "/" + word(random, SEGMENTS);
    }
    match random.below(12) {
        0 => path += "?a=b&c=%zz",
        1 => path += "?",
        2 => path = format!("http://{}{path}", word(random, HOSTS)),
        3 => path = format!("https://{}", word(random, HOSTS)),
        4 => path = word(random, &["*", "x:80", "//a", "", "/#f", "/\u{e9}"]).to_owned(),
        _ => {}
    }
    path
}

/// Field lines, and seldom one that is none.
fn fields(random: &mut Random) -> String {
    let mut lines = String::new();
    for _ in 0..random.below(5) {
        lines = lines + word(random, FIELDS) + "\r\n";
    }
    if random.below(10) == 0 {
        lines = lines + word(random, BAD_FIELDS) + word(random, &["\r\n", "\n", "\r"]);
    }
    lines
}

/// How a body is framed, in a field line, and the bytes that are framed so; rarely they disagree.
fn body(random: &mut Random) -> (String, Vec<u8>) {
    let length = random.below(60);
    match random.below(8) {
        0 | 1 => {
            let body = random.octets(length);
            (format!("Content-Length: {length}\r\n"), body)
        }
        2 | 3 => {
            let coding = word(random, &["chunked", "Chunked", ", chunked ,"]);
            (format!("Transfer-Encoding: {coding}\r\n"), chunked(random))
        }
        4 => (format!("Content-Length: {length}, {length}\r\n"), b"GET / HTTP/1.1\r\n".to_vec()),
        5 => {
            let both = format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n");
            (both, chunked(random))
        }
        _ => (String::new(), Vec::new()),
    }
}

fn request(random: &mut Random) -> Vec<u8> {
    let method = word(random, METHODS);
    let version = word(random, &["1.1", "1.1", "1.1", "1.1", "1.1", "1.0", "1.2", "2.0", "1.10"]);
    let target = target(random);
    let host = match random.below(8) {
        0 => format!("Host: {}\r\n", word(random, HOSTS)),
        1 => String::new(),
        _ => "Host: x\r\n".to_owned(),
    };
    let empty = word(random, &["", "", "", "", "\r\n", "\r\n\r\n", "\n"]);
    let fields = fields(random);
    let (framing, body) = body(random);
    let head = format!("{empty}{method} {target} HTTP/{version}\r\n{host}{fields}{framing}\r\n");
    [head.as_bytes(), &body].concat()
}

fn response(random: &mut Random) -> Vec<u8> {
    let status =
        word(random, &["200", "200", "200", "204", "304", "100", "103", "101", "404", "099"]);
    let reason = word(random, &["OK", "", "No\tSuch \u{e9}", "OK"]);
    let version = word(random, &["1.1", "1.1", "1.1", "1.0", "2.0"]);
    let fields = fields(random);
    let (framing, body) = body(random);
    let head = format!("HTTP/{version} {status} {reason}\r\n{fields}{framing}\r\n");
    [head.as_bytes(), &body].concat()
}

fn head(random: &mut Random) -> Vec<u8> {
    if random.below(4) == 0 { response(random) } else { request(random) }
}

fn chunked(random: &mut Random) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..random.below(5) {
        let length = 1 + random.below(30);
        match random.below(8) {
            0 => bytes.extend_from_slice(format!("{length:0>4X}").as_bytes()),
            1 => bytes.extend_from_slice(b"fffffffffffffff"),
            _ => {
                encode_chunk_size(length, &mut bytes);
                bytes.truncate(bytes.len() - 2);
            }
        }
        extension(random, &mut bytes);
        bytes.extend_from_slice(word(random, &["\r\n", "\r\n", "\r\n", "\n"]).as_bytes());
        bytes.extend(random.octets(length));
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(word(random, &["0", "0", "0000", "00000000000000000"]).as_bytes());
    extension(random, &mut bytes);
    bytes.extend_from_slice(b"\r\n");
    if random.below(3) == 0 {
        bytes.extend_from_slice(fields(random).as_bytes());
    }
    bytes.extend_from_slice(
        word(random, &["\r\n", "\r\n", "\r\nGET / HTTP/1.1\r\n", ""]).as_bytes(),
    );
    bytes
}

fn extension(random: &mut Random, bytes: &mut Vec<u8>) {
    let none = random.below(3) > 0;
    let some = [";a", " ; a = b", ";a=\"\\\"\"", ";a=\"\r\n\"", ";", "; a;b", "\t;a=\"x\" ;b"];
    if !none {
        bytes.extend_from_slice(word(random, &some).as_bytes());
    }
}

fn conversation(random: &mut Random) -> Vec<u8> {
    let mut bytes = vec![random.octet()];
    for _ in 0..=random.below(4) {
        bytes.extend(request(random));
    }
    bytes
}

fn responses(random: &mut Random) -> Vec<u8> {
    let mut bytes = vec![random.octet() & 7];
    for _ in 0..=random.below(3) {
        bytes.extend(response(random));
    }
    bytes
}

fn cookies(random: &mut Random) -> Vec<u8> {
    const PARTS: &[&str] = &[
        "a=1",
        "; ",
        ";",
        "=",
        "__Host-a",
        "\"b;c\"",
        "d=e=f",
        "lone",
        " ",
        "\t",
        "$Version=1",
        "%41",
        "\u{e9}",
        ",",
        "\\",
        "a",
    ];
    let mut bytes = vec![random.octet()];
    for _ in 0..random.below(12) {
        bytes.extend_from_slice(word(random, PARTS).as_bytes());
    }
    bytes
}

fn forms(random: &mut Random) -> Vec<u8> {
    const PARTS: &[&str] = &[
        "a", "=", "&", "+", "%41", "%c3%a9", "%ff", "%", "%2", "%26", "name", "\u{e9}", "==", "&&",
    ];
    let many = if random.below(200) == 0 { 3_000 } else { 20 };
    let parts = (0..random.below(many)).map(|_| word(random, PARTS));
    parts.collect::<String>().into_bytes()
}

fn multipart(random: &mut Random) -> Vec<u8> {
    const PIECES: &[&str] =
        &["text", "\r\n", "--b", "\r\n--", "-", "\r", "\r\n--bx", "\n--b", "\u{0}", "--"];
    const NAMES: &[&str] = &[
        "name=\"a\"",
        "name=a",
        "name=\"%22\\\"\"",
        "filename=\"..\\x\"",
        "name=\"\u{e9}\"",
        "filename=\"\"",
        "x=y",
    ];
    let mut bytes = Vec::new();
    if random.below(4) == 0 {
        bytes.extend_from_slice(
            word(random, &["preamble\r\n", "\r\n", "--", "--bb\r\n"]).as_bytes(),
        );
    }
    for _ in 0..random.below(4) {
        let mut head = format!("--b{}\r\n", word(random, &["", "", "", " ", "\t ", "x", "-"]));
        head += word(
            random,
            &["Content-Disposition: form-data; name=\"n\"", "content-disposition: FORM-DATA"],
        );
        for _ in 0..random.below(3) {
            head = head + "; " + word(random, NAMES);
        }
        head += word(
            random,
            &[
                "",
                "",
                "\r\nContent-Type: text/plain",
                "\r\nContent-Transfer-Encoding: base64",
                "\r\n x",
            ],
        );
        bytes.extend_from_slice(head.as_bytes());
        bytes.extend_from_slice(
            word(random, &["\r\n\r\n", "\r\n\r\n", "\r\n\r\n", "\r\n"]).as_bytes(),
        );
        for _ in 0..random.below(6) {
            bytes.extend_from_slice(word(random, PIECES).as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(
        word(random, &["--b--", "--b--\r\n", "--b-- \t\r\nepilogue", "--b", ""]).as_bytes(),
    );
    bytes
}

fn ranges(random: &mut Random) -> Vec<u8> {
    let mut bytes = vec![random.octet()];
    if bytes[0] >= 0xf0 {
        bytes.extend(random.octets(8));
    }
    let mut text =
        word(random, &["bytes=", "bytes=", "Bytes=", "lines=", "bytes =", ""]).to_owned();
    for _ in 0..random.below(10) {
        let (first, last) = (random.below(300), random.below(300));
        text += &match random.below(6) {
            0 => format!("{first}-"),
            1 => format!("-{last}"),
            2 => format!("{first}-{}", first + last),
            3 => format!("{first}-{last}"),
            4 => format!("{}-{}", u64::MAX - first as u64, u64::MAX),
            _ => (word(
                random,
                &["-", "+1-2", "1-2-3", "18446744073709551616-", "-0", "\"1-2\"", ""],
            ))
            .to_owned(),
        };
        text += word(random, &[",", ", ", " ,,"]);
    }
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

fn paths(random: &mut Random) -> Vec<u8> {
    let mut bytes = vec![random.octet()];
    bytes.extend_from_slice(target(random).as_bytes());
    bytes
}

fn forwarded(random: &mut Random) -> Vec<u8> {
    const PARTS: &[&str] = &[
        "for=",
        "192.0.2.1",
        "10.0.0.3",
        "\"",
        "\"[2001:db8::1]:80\"",
        ",",
        ", ",
        ";",
        "proto=https",
        "host=evil",
        "unknown",
        "_hidden",
        "\\",
        "=",
        "for=\"",
        "by=",
        "::ffff:10.0.0.4",
        "[::1]",
        ":80",
        "\n",
        " ",
        "\u{e9}",
        "203.0.113.9",
        "for",
    ];
    let parts = (0..random.below(14)).map(|_| word(random, PARTS));
    parts.collect::<String>().into_bytes()
}

fn values(random: &mut Random) -> Vec<u8> {
    const WHOLE: &[&str] = &[
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "W/\"a-1\"",
        "\"a\"",
        "\"a\\\"b\"",
        "aGVsbG8=",
        "aGVsbG8",
        "_-8",
        "https://example.com:443/a",
        "http://[::1]:8000",
        "//evil.example",
        "/a/../..//b?c#d",
    ];
    const PARTS: &[&str] = &[
        "/", "a", "..", "?", "#", "%2F", "%5c", "\\", "//", "://", "https", "@", ":80", ",", ", ",
        "\"", "\\\"", "=", "\t", " ", "\u{e9}", "W/", "[::1]", ".",
    ];
    if random.below(3) == 0 {
        return word(random, WHOLE).as_bytes().to_vec();
    }
    let parts = (0..random.below(10)).map(|_| *random.pick(PARTS));
    parts.collect::<String>().into_bytes()
}
