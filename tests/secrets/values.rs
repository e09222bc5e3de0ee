//! What `Debug` and errors show of values that hold a secret.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use longhand::transport::Scripted;
use longhand::{
    FieldValue, Limits, Refusal, Reply, Request, Response, Responses, Status, serve_connection,
};
use longhand_kit::auth::{Accounts, PasswordHash, Tokens, basic};
use longhand_kit::cookie::{Cookies, SetCookie};
use longhand_kit::form::Form;
use longhand_kit::multipart::{Multipart, PartLimits};
use longhand_kit::session::Sessions;
use longhand_kit::signed::Keys;
use longhand_kit::{base64, mac};

use crate::planted::assert_untold;

const SECRET: &str = "Xq7vP2mKzw9TbJ4h";

/// A value as `{:?}` and `{:#?}` show it.
macro_rules! shown {
    ($value:expr) => {
        format!("{0:?}\n{0:#?}", $value)
    };
}

/// An error as both of its texts show it.
macro_rules! told {
    ($error:expr) => {{
        let error = $error.err().expect("it is refused");
        format!("{error}\n{0:?}\n{0:#?}", error)
    }};
}

/// Serves one request to a handler that says what it saw.
fn see(request: String, look: impl Fn(&mut Request<'_>) -> Vec<String>) -> String {
    let mut client = Scripted::new().send(request).end();
    serve_connection(&mut client, &Limits::default(), |request: &mut Request<'_>| {
        Response::text(look(request).join("\n"))
    });
    let output = client.output_text();
    assert!(output.starts_with("HTTP/1.1 200 "), "{output}");
    output
}

#[test]
fn a_request_shows_no_cookie_no_credential_and_no_value_of_a_form() {
    let form = format!("user=ada&password={SECRET}");
    let credentials = base64::encode(format!("ada:{SECRET}"));
    let head =
        "POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    let request = format!(
        "{head}Authorization: Basic {credentials}\r\nPROXY-AUTHORIZATION: Bearer {SECRET}\r\n\
         Cookie: sid={SECRET}\r\ncookie: b={SECRET}\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    );
    let text = see(request, |request| {
        let mut seen = vec![shown!(request), shown!(request.fields()), shown!(request.body())];
        let credentials = basic(request).unwrap().unwrap();
        assert_eq!(credentials.password, SECRET);
        assert_eq!(Cookies::of(request).text("sid"), Some(SECRET));
        seen.extend([shown!(credentials), shown!(Cookies::of(request))]);
        let form = Form::read(request).unwrap();
        assert_eq!(form.first("password"), Some(SECRET));
        seen.push(shown!(form));
        seen
    });
    assert_untold("a request", &text, &[SECRET]);
    // What is no secret is there: somebody looks at it to find a fault.
    for wanted in ["/sign-in", "\"authorization\"", "\"password\"", "\"ada\"", "\"sid\""] {
        let text = text.to_lowercase();
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
}

#[test]
fn an_upload_shows_nothing_of_a_part() {
    let body =
        format!("--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\n{SECRET}\r\n--b--\r\n");
    let head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n";
    let text = see(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()), |request| {
        let mut parts = Multipart::of(request, &PartLimits::default()).unwrap();
        let mut seen = vec![shown!(parts)];
        let mut part = parts.next().unwrap().unwrap();
        seen.push(shown!(part));
        assert_eq!(part.text().unwrap(), SECRET);
        seen
    });
    assert_untold("an upload", &text, &[SECRET]);
}

#[test]
fn a_response_shows_no_cookie_on_either_side() {
    let cookie = SetCookie::new("sid", SECRET);
    let reply = cookie.clone().add_to(Reply::text(SECRET)).unwrap();
    let reply = reply.field("Proxy-Authorization", SECRET);
    let mut text = shown!(cookie) + &shown!(reply);
    assert!(text.contains("Set-Cookie"), "{text}");
    let answer = format!(
        "HTTP/1.1 200 OK\r\nSet-Cookie: sid={SECRET}\r\nContent-Length: 16\r\n\r\n{SECRET}"
    );
    let mut responses = Responses::new(answer.as_bytes(), &Limits::default());
    text += &shown!(responses.head("GET").unwrap());
    text += &shown!(responses);
    // What came early for an upgraded protocol.
    let mut client = Scripted::new()
        .send("GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: a\r\n\r\n")
        .send(SECRET)
        .end();
    serve_connection(&mut client, &Limits::default(), |_: &mut Request<'_>| {
        Response::upgrade("a", |mut stream| {
            let seen = shown!(stream);
            stream.write_all(seen.as_bytes())
        })
    });
    text += &client.output_text();
    assert!(client.output_text().contains("Upgraded"), "{text}");
    assert_untold("a response", &text, &[SECRET]);
}

#[test]
fn keys_hashes_and_guards_show_nothing_of_what_they_hold() {
    let hash = PasswordHash::make(SECRET, 1_000).unwrap();
    let written = hash.to_string();
    let parts: Vec<&str> = written.split('$').skip(2).collect();
    let keys = Keys::parse(SECRET.repeat(2)).unwrap();
    let tokens = Tokens::new().token("backup", mac::sha256(SECRET.as_bytes()));
    let (mut hmac, mut sha) = (mac::Hmac::new(SECRET.as_bytes()), mac::Sha256::new());
    hmac.update(SECRET.as_bytes());
    sha.update(SECRET.as_bytes());
    let text = [shown!(hash), shown!(keys), shown!(tokens), shown!(hmac), shown!(sha)].concat();
    let token = base64::encode_url(mac::sha256(SECRET.as_bytes()));
    let tag = base64::encode_url(mac::hmac(SECRET.as_bytes(), &[SECRET.as_bytes()]));
    assert_untold("a guard", &text, &[SECRET, parts[0], parts[1], &token, &tag]);
    let accounts = Accounts::new(move |_| Some(hash.clone())).unwrap();
    assert_untold("the accounts", &shown!(accounts), &[SECRET, parts[0], parts[1]]);
}

#[test]
fn an_error_repeats_nothing_of_what_it_refuses() {
    let bytes = SECRET.as_bytes();
    let keys = Keys::random().unwrap();
    let now = std::time::SystemTime::UNIX_EPOCH;
    for text in [
        told!(SECRET.parse::<PasswordHash>()),
        told!(format!("PBKDF2-SHA256$1000${SECRET}$").parse::<PasswordHash>()),
        told!(Keys::parse(SECRET)),
        told!(keys.verify("p", "n", SECRET, now)),
        told!(keys.verify("p", "n", format!("{SECRET}.1.{SECRET}"), now)),
        told!(base64::decode(format!("{SECRET}!"))),
        told!(base64::decode_url(format!("{SECRET}="))),
        told!(FieldValue::new(format!("{SECRET}\n"))),
        told!(SetCookie::new("sid", format!("{SECRET};")).field_value()),
        told!(Form::parse(format!("password={SECRET}%"))),
        told!(Form::parse([b"password=", bytes, b"\xff"].concat())),
        told!(longhand::wire::percent_decode(format!("{SECRET}%"))),
    ] {
        assert_untold("an error", &text, &[SECRET]);
    }
    // A refusal says what its maker wrote, and its fields as any response.
    let refusal = Refusal::new(Status::UNAUTHORIZED, "no").field("Set-Cookie", SECRET);
    assert_untold("a refusal", &shown!(refusal), &[SECRET]);
}

#[test]
fn a_sessions_value_that_is_no_text_is_not_repeated_by_the_error() {
    let sessions = Sessions::new();
    let value = [SECRET.as_bytes(), b"\xff"].concat();
    let begin = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut client = Scripted::new().send(begin).end();
    serve_connection(&mut client, &Limits::default(), |request: &mut Request<'_>| {
        sessions.begin(request, value.clone(), Response::text("")).map_err(Response::from)
    });
    let output = client.output_text();
    let (_, cookie) = output.split_once("Set-Cookie: ").unwrap();
    let id = cookie.split(';').next().unwrap();
    let text = see(format!("GET / HTTP/1.1\r\nHost: x\r\nCookie: {id}\r\n\r\n"), |request| {
        assert_eq!(sessions.find(request).unwrap(), Some(value.clone()));
        vec![told!(sessions.find_text(request))]
    });
    assert!(text.contains("session value: "), "{text}");
    assert_untold("a session's error", &text, &[SECRET]);
}

/// The public types whose `Debug` is derived, which shows every field: each was looked at, and holds
/// nothing that lets somebody in, or another type's `Debug` leaves that out. A new one has to be looked
/// at too: where it may hold a password, a key, a cookie or a body, its `Debug` is written by hand and
/// is tested above. `Scripted` and `Happened`, of tests, show every byte on purpose; what a URI says,
/// `Target`, `Local` and `Matched` show.
const DERIVED: &[&str] = &[
    "Accepted",
    "Answered",
    "BadAuthorization",
    "BadBase64",
    "BadCookie",
    "BadETag",
    "BadEscape",
    "BadValue",
    "ByteRange",
    "CacheControl",
    "Chunk",
    "ChunkedDecoder",
    "Class",
    "Client",
    "CrossOrigin",
    "Dir",
    "ETag",
    "Event",
    "Explained",
    "FieldLine",
    "Framing",
    "Guard",
    "Happened",
    "Hint",
    "Html",
    "Kind",
    "Leaving",
    "Limits",
    "Local",
    "Log",
    "Matched",
    "Metrics",
    "NotLocal",
    "Origin",
    "Parsed",
    "Part",
    "PartLimits",
    "Persistence",
    "Proxies",
    "Refused",
    "Request",
    "RequestHead",
    "ResponseHead",
    "SameSite",
    "Sample",
    "Scene",
    "Scheme",
    "Scripted",
    "Selection",
    "SessionError",
    "Socket",
    "State",
    "Summary",
    "Target",
    "TcpAcceptor",
    "TooMany",
    "UnixAcceptor",
    "Unverified",
    "User",
    "Validators",
    "Verdict",
    "Version",
    "Whose",
    "Why",
];

#[test]
fn every_derived_debug_is_of_a_type_that_was_found_to_hold_no_secret() {
    let crates = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../crates");
    let mut found = Vec::new();
    for name in ["longhand", "longhand-kit", "longhand-signal"] {
        derived(&crates.join(name).join("src"), &mut found);
    }
    found.sort();
    let listed: Vec<String> = DERIVED.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(found, listed);
}

/// The names of public types below `folder` with a derived `Debug`.
fn derived(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            derived(&path, found);
            continue;
        }
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let mut is_derived = false;
        for line in text.lines().map(str::trim) {
            if line.starts_with("#[derive(") {
                is_derived = line.contains("Debug");
            } else if let Some(rest) =
                line.strip_prefix("pub struct ").or(line.strip_prefix("pub enum "))
            {
                let name = rest.split(|c: char| !c.is_alphanumeric()).next().unwrap();
                if is_derived {
                    found.push(name.to_owned());
                }
                is_derived = false;
            } else if !line.starts_with('#') && !line.starts_with("//") {
                is_derived = false;
            }
        }
    }
}
