//! Who is let in, and who turns away: versions, protocols, names, dates, and clients that speak no TLS.

use std::io::Write;
use std::time::SystemTime;

use harness::program::{command, run as run_example};
use longhand::wire::parse_date;

use crate::clients::{OpenSsl, curl, fetched, run, until, ureq};
use crate::server::{Https, LOCALHOST, certificate, expired};

/// What `openssl s_client` has to say of a handshake.
fn shake(server: &Https, more: &[&str]) -> String {
    let (place, authority) = (format!("localhost:{}", server.port), server.authority());
    let fixed = ["s_client", "-connect", &place, "-CAfile", &authority, "-verify_return_error"];
    let did = run("openssl", "openssl", &[&fixed, more].concat());
    did.text() + &did.errors
}

#[test]
fn tls_1_2_and_1_3_are_spoken_and_nothing_older() {
    let server = Https::start(&[]);
    for (version, said) in
        [("-tls1_2", "New, TLSv1.2, Cipher is ECDHE"), ("-tls1_3", "New, TLSv1.3")]
    {
        let told = shake(&server, &[version]);
        assert!(told.contains(said) && told.contains("Verify return code: 0 (ok)"), "{told}");
        let mut client = OpenSsl::to(&server, &[version]);
        assert_eq!(client.get("/").answer().text(), "Hello, World!");
    }
    // At level 0, so that it is the server that refuses.
    let told = shake(&server, &["-tls1_1", "-cipher", "ALL@SECLEVEL=0"]);
    assert!(told.contains("SSL alert number") && told.contains("Cipher is (NONE)"), "{told}");
}

#[test]
fn http_1_1_is_the_protocol_and_who_wants_another_alone_is_told() {
    let server = Https::start(&[]);
    for (offered, said) in [
        (&["-alpn", "http/1.1"][..], "ALPN protocol: http/1.1"),
        (&["-alpn", "h2,http/1.1"], "ALPN protocol: http/1.1"),
        (&["-alpn", "http/1.0"], "ALPN protocol: http/1.0"),
        (&[], "No ALPN negotiated"),
        (&["-alpn", "h2"], "alert no application protocol"),
    ] {
        let told = shake(&server, offered);
        assert!(told.contains(said), "{offered:?}: {told}");
    }
    for version in ["--http1.0", "--http1.1", "--http2"] {
        assert_eq!(fetched(&server, &[version, &server.url("/")]), "Hello, World!");
    }
}

#[test]
fn clients_trust_the_authority_the_name_and_the_date_or_turn_away() {
    let server = Https::start(&[]);
    assert_eq!(fetched(&server, &[&server.url("/")]), "Hello, World!");
    let mut answer = ureq(&server.authority()).get(server.url("/")).call().unwrap();
    assert_eq!(answer.body_mut().read_to_string().unwrap(), "Hello, World!");

    let wrong = Https::with(&[], |folder| certificate(folder, "localhost", "DNS:elsewhere.test"));
    refused(&wrong, &wrong.authority(), "subject name", "not valid for name", "hostname mismatch");

    let over = Https::with(&[], |folder| expired(folder, LOCALHOST));
    refused(
        &over,
        &over.authority(),
        "certificate has expired",
        "expired",
        "certificate has expired",
    );

    // Another authority, which calls itself by the same name, and cannot sign for it.
    refused(&server, &over.authority(), "certificate", "BadSignature", "verify error");
    assert_eq!(fetched(&server, &[&server.url("/")]), "Hello, World!");
}

/// None of three clients that trust `authority` sends as much as a request. What each says of it.
#[track_caller]
fn refused(server: &Https, authority: &str, to_curl: &str, to_ureq: &str, to_openssl: &str) {
    // 60: the peer's certificate cannot be authenticated.
    let did = curl(server, &["--cacert", authority, &server.url("/")]);
    assert_eq!((did.code, did.text()), (Some(60), String::new()), "{}", did.errors);
    assert!(did.errors.contains(to_curl), "{}", did.errors);

    let error = ureq(authority).get(server.url("/")).call().unwrap_err().to_string();
    assert!(error.contains(to_ureq), "{error}");

    let mut client = OpenSsl::connect(server.port, authority, &[]);
    let _ = client.stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    client.expect_end();
    let told = client.stream.complaints();
    assert!(told.to_lowercase().contains(to_openssl), "{told}");
}

#[test]
fn a_client_that_speaks_http_here_is_told_so_in_http() {
    let server = Https::start(&[]);
    let large = "x".repeat(900_000);
    for request in [
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "G".to_owned(),
        "get /\r\n".to_owned(),
        format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n{large}"),
    ] {
        let mut client = server.program.client();
        client.send(request);
        let answer = client.answer();
        assert_eq!(answer.status, 400);
        assert!(answer.closes() && answer.text().contains("speaks https"), "{}", answer.text());
        client.expect_end();
    }
}

#[test]
fn the_answer_to_who_speaks_http_here_has_its_date() {
    let server = Https::start(&[]);
    let mut client = server.program.client();
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    let answer = client.answer();
    // RFC 9110 section 6.6.1: a server with a clock dates every answer of 4xx.
    let date = answer.field("date").expect("it has a Date");
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let told = parse_date(date.as_bytes(), now).expect("it is a date");
    assert!(now.abs_diff(told) < 60, "{date}");
}

#[test]
fn a_client_that_speaks_http_here_and_goes_on_sending_is_heard_out() {
    let server = Https::start(&[]);
    let mut client = server.program.client();
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 655360\r\n\r\n");
    assert_eq!(client.answer().status, 400);
    // To what is closed one cannot send: a reset comes back, and could take the answer with it.
    for _ in 0..10 {
        client.send([b'x'; 65_536]);
    }
    client.expect_end();
}

#[test]
fn bytes_that_are_neither_get_an_alert() {
    let server = Https::start(&[]);
    for bytes in
        [&b"\x00\x01\x02\x03\x04\x05\x06\x07"[..], b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\xff"]
    {
        let mut client = server.program.client();
        client.send(bytes);
        client.end();
        let rest = client.rest().unwrap();
        // A record of type alert, of two octets, of which the first is: fatal.
        assert_eq!((rest[0], &rest[3..6], rest.len()), (21, &[0, 2, 2][..], 7), "{rest:?}");
    }
}

#[test]
fn a_certificate_that_was_renewed_is_taken_up_while_connections_go_on() {
    let server = Https::start(&[]);
    let serial = || {
        let told = shake(&server, &["-showcerts"]);
        let (_, pem) = told.split_once("-----BEGIN").unwrap();
        pem.split_once("-----END").unwrap().0.to_owned()
    };
    let first = serial();
    let mut before = OpenSsl::to(&server, &[]);
    assert_eq!(before.get("/").answer().status, 200);

    // A file that is no certificate changes nothing. It is looked at, because it complains.
    let (file, kept) = (server.folder.file("localhost.pem"), server.folder.file("kept"));
    std::fs::copy(&file, &kept).unwrap();
    std::fs::write(&file, "half of a certif").unwrap();
    until("the new file is seen", || {
        assert_eq!(serial(), first);
        server.program.complaint().is_some_and(|line| line.contains("stays in use"))
    });

    certificate(&server.folder, "localhost", LOCALHOST);
    until("the new certificate is used", || serial() != first);
    assert_eq!(before.get("/").answer().status, 200);
}

#[test]
fn settings_that_do_not_fit_end_the_program_and_are_named() {
    let server = Https::start(&[]);
    certificate(&server.folder, "other", LOCALHOST);
    let file = |name| server.folder.file(name);
    for (chain, key, named) in [
        (file("localhost.pem"), file("missing.key"), "KEY="),
        (file("missing.pem"), file("localhost.key"), "CERT="),
        (file("localhost.key"), file("localhost.key"), "CERT="),
        (file("localhost.pem"), file("other.key"), "other.key"),
        (String::new(), file("localhost.key"), "CERT="),
    ] {
        let settings = [("PORT", "0"), ("CERT", chain.as_str()), ("KEY", key.as_str())];
        let (code, out, errors) = run_example(command("https", &settings));
        assert_eq!((code, out.as_str()), (2, ""), "{chain} {key}");
        assert!(errors.contains(named) && errors.contains("certificates.sh"), "{errors}");
    }
    let (code, _, errors) = run_example(command("https", &[("PORT", "0")]));
    assert!(code == 2 && errors.starts_with("CERT="), "{code} {errors}");
}
