//! Messages through TLS: large, both ways, one after the other and many at once.

use std::fs;
use std::io::{Read, Write};
use std::thread;

use crate::clients::{OpenSsl, curl, fetched, ureq};
use crate::server::Https;

/// Bytes none of whose parts is like another.
fn counted(bytes: usize) -> Vec<u8> {
    (0..bytes as u64 / 8).flat_map(u64::to_be_bytes).collect()
}

#[test]
fn a_download_of_100_mb_arrives_as_it_was_sent() {
    let bytes = counted(100_000_000);
    let folder = harness::program::Folder::new();
    fs::write(folder.file("large"), &bytes).unwrap();
    let server = Https::start(&[("PROBE_FILE", &folder.file("large"))]);

    let did = curl(&server, &["--fail", "-o", &folder.file("curl"), &server.url("/file")]);
    assert_eq!(did.code, Some(0), "{}", did.errors);
    assert!(fs::read(folder.file("curl")).unwrap() == bytes, "curl has other bytes");

    let answer = ureq(&server.authority()).get(server.url("/file")).call().unwrap();
    assert_eq!(answer.headers()["content-length"], "100000000");
    let mut found = Vec::new();
    answer.into_body().into_reader().read_to_end(&mut found).unwrap();
    assert!(found == bytes, "ureq has other bytes");
}

#[test]
fn an_upload_comes_back_as_it_was_sent_with_a_length_and_in_chunks() {
    let bytes = counted(20_000_000);
    let server = Https::start(&[("PROBE_BODY", "20000000")]);
    let file = server.folder.file("large");
    fs::write(&file, &bytes).unwrap();
    for framing in ["Content-Type: a/b", "Transfer-Encoding: chunked"] {
        let out = server.folder.file("back");
        let whole = format!("@{file}");
        let sent = ["--data-binary", &whole, "-H", framing, "-o", &out, &server.url("/echo")];
        let did = curl(&server, &[&["--fail"], &sent[..]].concat());
        assert_eq!(did.code, Some(0), "{framing}: {}", did.errors);
        assert!(fs::read(&out).unwrap() == bytes, "{framing}: other bytes came back");
    }
    let mut answer = ureq(&server.authority()).post(server.url("/echo")).send(&bytes[..]).unwrap();
    let back = answer.body_mut().with_config().limit(20_000_001).read_to_vec().unwrap();
    assert!(back == bytes, "ureq: other bytes came back");
}

#[test]
fn a_connection_is_kept_for_the_next_request() {
    let server = Https::start(&[]);
    let url = server.url("/headers");
    let told = fetched(&server, &["-w", "new connections: %{num_connects}\n", &url, &url, &url]);
    let news: Vec<_> = told.lines().filter(|line| line.starts_with("new ")).collect();
    assert_eq!(news, ["new connections: 1", "new connections: 0", "new connections: 0"]);
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = Https::start(&[]);
    for version in ["-tls1_2", "-tls1_3"] {
        let mut client = OpenSsl::to(&server, &[version]);
        client.send(
            "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nfirst\
             GET /stream HTTP/1.1\r\nHost: x\r\n\r\n\
             GET /1m HTTP/1.1\r\nHost: x\r\n\r\n\
             POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nlast\r\n0\r\n\r\n",
        );
        assert_eq!(client.answer().text(), "first");
        assert_eq!(client.answer().text(), "part-1\npart-2\npart-3\n");
        assert_eq!(client.answer().body.len(), 1 << 20);
        assert_eq!(client.answer().text(), "last");
    }
}

#[test]
fn another_protocol_goes_on_inside_the_same_tls() {
    let server = Https::start(&[]);
    let mut client = OpenSsl::to(&server, &[]);
    let fields = "Host: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n";
    client.send(format!("GET /upgrade HTTP/1.1\r\n{fields}\r\nearly"));
    client.expect_bytes(b"\r\n\r\nearly");
    client.send("and late").expect_bytes(b"and late");
}

#[test]
fn many_clients_at_once_each_get_their_own_bytes_back() {
    let server = Https::start(&[]);
    let (authority, url) = (&server.authority(), &server.url("/echo"));
    thread::scope(|scope| {
        for number in 0..16_u8 {
            scope.spawn(move || {
                let agent = ureq(authority);
                for length in [1, 100, 16_384, 16_385, 300_000] {
                    let sent = vec![number; length];
                    let mut answer = agent.post(url).send(&sent[..]).unwrap();
                    assert!(answer.body_mut().read_to_vec().unwrap() == sent, "{number} {length}");
                }
            });
        }
    });
    // A body that nobody reads, and one that is too long: told over TLS too, and not lost to a reset.
    let mut client = OpenSsl::to(&server, &[]);
    let head = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n";
    client.send(head);
    let _ = client.stream.write_all(&[b'x'; 400_000]);
    assert_eq!(client.answer().status, 413);
}
