//! Logs of hostile requests, read back by readers as strict as those of log tools.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use harness::client::Client;
use harness::random::Random;
use longhand::{Event, Request, Response, Server};
use longhand_kit::log::{Log, User};

use crate::{Lines, NEVER, run};

/// What the clients of these tests send as the value of a field: anything that a head may hold.
fn hostile(random: &mut Random) -> Vec<u8> {
    const WORDS: &[&[u8]] = &[
        b"\"",
        b"\\",
        b"\" 200 5 \"",
        b"\\\"",
        b"\\x22",
        b"\t",
        b" ",
        b"-",
        b"[",
        b"}",
        b"\",\"status\":200,\"a\":\"",
        b"\xff",
        b"\xe2\x80\xae",
        b"\xc3\xa9",
        b"\\n",
        b"\\u000a",
        b"%0a",
        b"?",
        b"127.0.0.1 - - [",
        b"\x80\x85",
    ];
    let words = random.below(8);
    (0..words).flat_map(|_| random.pick(WORDS).iter().copied()).collect()
}

/// Sends such requests, and gives what was sent and what two logs say of it.
fn conversation(requests: usize) -> (Vec<Vec<u8>>, String, String) {
    let server = Server::bind("127.0.0.1:0").expect("a free port");
    let address = server.local_addr().expect("an address");
    let handle = server.handle();
    let (plain, objects) = (Lines::default(), Lines::default());
    let (combined, json) = (Log::combined(plain.clone()), Log::json(objects.clone()));
    let observer = move |event: &Event<'_>| {
        combined.observe(event);
        json.observe(event);
    };
    let running = run(server, observer, |request: &mut Request<'_>| {
        let agent = request.field("User-Agent").unwrap_or_default();
        request.set(User(String::from_utf8_lossy(agent).into_owned()));
        Response::text("hello")
    });
    let mut random = Random::new(0x6c6f_6773);
    let mut client = Client::to(address);
    let agents: Vec<Vec<u8>> = (0..requests).map(|_| hostile(&mut random)).collect();
    for agent in &agents {
        let fields =
            [b"GET /a?b HTTP/1.1\r\nHost: a\r\nUser-Agent: ", &agent[..], b"\r\nReferer: "];
        let request = [&fields.concat()[..], &hostile(&mut random), b"\r\n\r\n"].concat();
        client.stream.write_all(&request).expect("it is open");
        assert_eq!(client.answer().status, 200);
    }
    // What is no head has a line too.
    client.stream.write_all(b"GET /\n").expect("it is open");
    assert_eq!(client.answer().status, 400);
    handle.drain(Duration::ZERO, NEVER);
    running.join().expect("no panic leaves the server");
    (agents, plain.text(), objects.text())
}

#[test]
fn lines_of_hostile_requests_are_read_back_as_they_were_sent() {
    const REQUESTS: usize = 500;
    let (agents, plain, objects) = conversation(REQUESTS);
    let is_printable = |text: &str| text.bytes().all(|c| c == b'\n' || (b' '..=b'~').contains(&c));
    assert!(is_printable(&plain) && is_printable(&objects));
    let trimmed = |agent: &[u8]| {
        let text: &[u8] = agent.trim_ascii();
        text.to_vec()
    };

    let lines: Vec<Vec<Vec<u8>>> = plain.lines().map(combined_fields).collect();
    assert_eq!(lines.len(), REQUESTS + 1);
    for (fields, agent) in lines.iter().zip(&agents) {
        let [client, none, user, _, request, status, bytes, _, logged] = &fields[..] else {
            panic!("{fields:?}")
        };
        assert_eq!((&client[..], &none[..]), (&b"127.0.0.1"[..], &b"-"[..]));
        assert_eq!(request, b"GET /a? HTTP/1.1");
        assert_eq!((&status[..], &bytes[..]), (&b"200"[..], &b"5"[..]));
        assert_eq!(*logged, trimmed(agent));
        let named = String::from_utf8_lossy(logged);
        assert_eq!(
            String::from_utf8_lossy(user),
            if named.is_empty() { "-".into() } else { named }
        );
    }
    assert_eq!(lines[REQUESTS][4], b"bare-lf");

    let lines: Vec<BTreeMap<String, String>> = objects.lines().map(json_object).collect();
    assert_eq!(lines.len(), REQUESTS + 1);
    for (object, agent) in lines.iter().zip(&agents) {
        let agent = String::from_utf8_lossy(&trimmed(agent)).into_owned();
        assert_eq!((&object["agent"], &object["user"]), (&agent, &agent));
        assert_eq!((object["status"].as_str(), object["target"].as_str()), ("200", "/a?"));
    }
    assert_eq!(lines[REQUESTS]["violation"], "bare-lf");
    assert!(!lines[REQUESTS].contains_key("method"));
}

/// Reads the fields of a line in the combined format, and nothing else: bare, in brackets, or in
/// quotes with their escapes undone.
fn combined_fields(line: &str) -> Vec<Vec<u8>> {
    let mut fields = Vec::new();
    let mut rest = line.as_bytes().iter().copied().peekable();
    loop {
        let end = match rest.peek().expect("a field") {
            b'"' => b'"',
            b'[' => b']',
            _ => b' ',
        };
        let is_bare = end == b' ';
        if !is_bare {
            rest.next();
        }
        let mut field = Vec::new();
        loop {
            match rest.next() {
                Some(octet) if octet == end => break,
                None if is_bare => break,
                None => panic!("a field has no end: {line}"),
                Some(b'\\') => field.push(match rest.next().expect("an escape") {
                    b'x' => {
                        let digits: Vec<u8> = rest.by_ref().take(2).collect();
                        let digits = String::from_utf8(digits).expect("digits");
                        u8::from_str_radix(&digits, 16).expect("digits")
                    }
                    octet @ (b'"' | b'\\') => octet,
                    other => panic!("no escape: {other}: {line}"),
                }),
                Some(octet) => field.push(octet),
            }
        }
        fields.push(field);
        match rest.peek() {
            None => return fields,
            Some(b' ') if !is_bare => drop(rest.next()),
            Some(_) if is_bare => {}
            Some(other) => panic!("{other} follows a field: {line}"),
        }
    }
}

/// Reads an object of strings, numbers, `true` and `null`, and nothing else (RFC 8259).
fn json_object(line: &str) -> BTreeMap<String, String> {
    let mut object = BTreeMap::new();
    let mut rest = line.strip_prefix('{').expect("an object");
    loop {
        let (name, after) = json_string(rest);
        rest = after.strip_prefix(':').expect("a colon");
        let value;
        (value, rest) = if rest.starts_with('"') {
            json_string(rest)
        } else {
            let end = rest.find([',', '}']).expect("an end");
            let value = &rest[..end];
            assert!(value.parse::<u64>().is_ok() || ["true", "null"].contains(&value), "{line}");
            (value.to_owned(), &rest[end..])
        };
        assert_eq!(object.insert(name, value), None, "{line}");
        match rest.split_at(1) {
            ("}", "") => return object,
            (",", after) => rest = after,
            _ => panic!("{rest}: {line}"),
        }
    }
}

fn json_string(text: &str) -> (String, &str) {
    let mut rest = text.strip_prefix('"').expect("a string");
    let mut units = Vec::new();
    loop {
        let octet = rest.as_bytes()[0];
        rest = &rest[1..];
        let unit = match octet {
            b'"' => return (String::from_utf16(&units).expect("text"), rest),
            b'\\' => {
                let (escape, after) = rest.split_at(1);
                rest = after;
                match escape {
                    "\"" | "\\" => u16::from(escape.as_bytes()[0]),
                    "u" => {
                        let (digits, after) = rest.split_at(4);
                        rest = after;
                        u16::from_str_radix(digits, 16).expect("digits")
                    }
                    _ => panic!("no escape: {escape}: {text}"),
                }
            }
            b' '..=b'~' => u16::from(octet),
            _ => panic!("not escaped: {octet}: {text}"),
        };
        units.push(unit);
    }
}
