//! Requests that two servers in a row may read in two ways: each holds a second request in its body, or in
//! what one of the two takes for it.

/// What would be a request of its own, if somebody were led to read it so.
fn second(id: usize) -> String {
    format!("GET /second-{id} HTTP/1.1\r\nHost: x\r\n\r\n")
}

/// Every spelling of a framing that servers have been known to read in two ways: field lines, and whether
/// what follows is chunked.
const FRAMINGS: &[(&str, bool)] = &[
    // Both, in either order, and in odd spellings of one of the two.
    ("Content-Length: {n}\r\nTransfer-Encoding: chunked", true),
    ("Transfer-Encoding: chunked\r\nContent-Length: {n}", true),
    ("Content-Length: {n}\r\nTransfer-Encoding : chunked", true),
    ("Content-Length: {n}\r\nTransfer-Encoding\t: chunked", true),
    ("Content-Length: {n}\r\n Transfer-Encoding: chunked", true),
    ("Content-Length: {n}\r\nTransfer-Encoding:\x0bchunked", true),
    ("Content-Length: {n}\r\nTransfer-Encoding: \x0cchunked", true),
    ("Content-Length: {n}\r\nTransfer-Encoding: xchunked", true),
    ("Content-Length: {n}\r\nTransfer-Encoding: chunkedx", true),
    ("Content-Length: {n}\r\nTransfer-Encoding: \"chunked\"", true),
    ("Content-Length: {n}\r\nTransfer-Encoding: chunked, identity", true),
    ("Content-Length: {n}\r\nTransfer-Encoding: identity, chunked", true),
    ("Content-Length: {n}\r\nTransfer-Encoding: identity", true),
    ("Content-Length: {n}\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x", true),
    ("Content-Length: {n}\r\nTransfer-Encoding: x\r\nTransfer-Encoding: chunked", true),
    ("Content-Length: {n}\r\nTransfer-Encoding: chunked, chunked", true),
    ("Content-Length: {n}\r\nTransfer-Encoding:\r\n chunked", true),
    ("Content-Length: {n}\r\nTransfer-Encoding:\n chunked", true),
    ("Content-Length: {n}\r\nTransfer_Encoding: chunked", true),
    ("Content-Length: {n}\r\ntRANSFER-ENCODING: cHuNkEd", true),
    ("Content-Length: {n}\r\nTransfer-Encoding: chunked;q=1", true),
    ("Content-Length: {n}\r\nTransfer-Encoding: ,chunked", true),
    ("Content-Length: {n}\r\nTransfer-Encoding: chunked,", true),
    ("Content-Length: {n}\r\nX: y\rTransfer-Encoding: chunked", true),
    ("Content-Length: {n}\r\nX: y\nTransfer-Encoding: chunked", true),
    ("Content-Length: {n}\r\nX: y\r\n\rTransfer-Encoding: chunked", true),
    ("Content-Length: {n}\r\nX: \0\r\nTransfer-Encoding: chunked", true),
    ("Content-Length: {n}\r\nConnection: Transfer-Encoding\r\nTransfer-Encoding: chunked", true),
    ("Connection: Content-Length\r\nContent-Length: {n}", false),
    // Lengths that are two, or none.
    ("Content-Length: {n}\r\nContent-Length: 0", false),
    ("Content-Length: 0\r\nContent-Length: {n}", false),
    ("Content-Length: {n}, {n}", false),
    ("Content-Length: 0, {n}", false),
    ("Content-Length: +{n}", false),
    ("Content-Length: -0", false),
    ("Content-Length: 0x{n}", false),
    ("Content-Length: {n}a", false),
    ("Content-Length: 0 {n}", false),
    ("Content-Length: {n};", false),
    ("Content-Length: \"{n}\"", false),
    ("Content-Length: 00{n}", false),
    ("Content-Length : {n}", false),
    ("Content-Length:\x0b{n}", false),
    ("Content-Length:\r\n {n}", false),
    (" Content-Length: {n}", false),
    ("Content_Length: {n}", false),
    ("Content-Length: 18446744073709551616", false),
    ("Content-Length: 18446744073709551617", false),
    ("Content-Length:", false),
    ("Expect: 100-continue\r\nContent-Length: {n}", false),
    ("Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nContent-Length: {n}", false),
    // Only one, so that what follows is simply the body.
    ("Content-Length: {n}", false),
    ("Transfer-Encoding: chunked", true),
];

/// Chunked bodies that end where it depends on who reads.
const CHUNKINGS: &[&str] = &[
    "0\r\n\r\n{second}",
    "0\n\n{second}",
    "0\r\n{second}",
    "0\r\n\n{second}",
    "0\r\rX\n\r\n{second}",
    "00000000000000000\r\n\r\n{second}",
    "0x0\r\n\r\n{second}",
    "+0\r\n\r\n{second}",
    "-0\r\n\r\n{second}",
    "0;\r\n\r\n{second}",
    "0;a=\"\r\n\r\n{second}\"\r\n\r\n0\r\n\r\n",
    "0;\n\r\n{second}",
    "0 \r\n\r\n{second}",
    "0\t\r\n\r\n{second}",
    " 0\r\n\r\n{second}",
    "1\r\nA0\r\n\r\n{second}",
    "1\r\nAB\r\n0\r\n\r\n{second}",
    "1\nA\n0\n\n{second}",
    "1;\nA\r\n0\r\n\r\n{second}",
    "10000000000000000\r\n\r\n{second}",
    "ffffffffffffffff\r\n{second}",
    "100000000\r\n{second}0\r\n\r\n",
    "2\r\nA\r\n0\r\n\r\n{second}",
    "{size}\r\n{second}\r\n0\r\n\r\n",
    "{size};x\r\n{second}\r\n0\r\n\r\n",
    "{size} ;x=\"y\"\r\n{second}\r\n0\r\n\r\n",
    "0\r\nContent-Length: 5\r\n\r\n{second}",
    "0\r\nTransfer-Encoding: chunked\r\n\r\n{second}",
    "0\r\nX: y\r\n {second}\r\n",
    "0\r\n: y\r\n\r\n{second}",
    "\r\n0\r\n\r\n{second}",
    "zz\r\n\r\n{second}",
];

/// First lines and lines before them that change who reads what.
const FIRST_LINES: &[&str] = &[
    "POST /first-{id} HTTP/1.1\r\n",
    "POST /first-{id} HTTP/1.0\r\n",
    "GET /first-{id} HTTP/1.1\r\n",
    "HEAD /first-{id} HTTP/1.1\r\n",
    "OPTIONS /first-{id} HTTP/1.1\r\n",
    "\r\nPOST /first-{id} HTTP/1.1\r\n",
    "POST /first-{id} HTTP/1.1\n",
    "POST /first-{id}\tHTTP/1.1\r\n",
    "POST  /first-{id} HTTP/1.1\r\n",
    "POST /first-{id} HTTP/1.1 \r\n",
    "POST /first-{id} HTTP/1.1\r",
    "POST http://x/first-{id} HTTP/1.1\r\n",
    "POST /first-{id}\r\n",
];

/// All of them: every framing with a body that ends early and one that ends late, every chunking,
/// every first line.
pub(crate) fn requests() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    let plain = FIRST_LINES[0];
    for &(framing, is_chunked) in FRAMINGS {
        for chunking in [CHUNKINGS[0], CHUNKINGS[23]] {
            let body = if is_chunked { chunking } else { "{second}" };
            all.push(request(all.len(), plain, framing, body, 0));
            // The length ends where the chunks do not.
            all.push(request(all.len(), plain, framing, body, 5));
        }
    }
    for chunking in CHUNKINGS {
        all.push(request(all.len(), plain, "Transfer-Encoding: chunked", chunking, 0));
    }
    for line in FIRST_LINES {
        for (framing, body) in [
            ("Content-Length: {n}", "{second}"),
            ("Transfer-Encoding: chunked", CHUNKINGS[0]),
            ("Transfer-Encoding: chunked", CHUNKINGS[23]),
            ("Content-Length: 0", "{second}"),
            ("X: y", "{second}"),
        ] {
            all.push(request(all.len(), line, framing, body, 0));
        }
    }
    all
}

/// One of them. `short` is by how much a length is shorter than the body.
fn request(id: usize, line: &str, framing: &str, body: &str, short: usize) -> Vec<u8> {
    let second = second(id);
    let body = body.replace("{size}", &format!("{:x}", second.len()));
    let body = body.replace("{second}", &second);
    let length = (body.len() - short).to_string();
    let head = format!("{line}Host: x\r\n{framing}\r\n\r\n");
    (head.replace("{id}", &id.to_string()).replace("{n}", &length) + &body).into_bytes()
}
