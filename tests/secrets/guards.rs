//! A server of the kit's guards, told of by two logs, counters, events and the panic hook.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use std::{panic, thread};

use harness::client::{Client, NEVER};
use longhand::{Handle, IntoResponse, Request, Response, Server, Status};
use longhand_kit::auth::{Accounts, PasswordHash, Tokens};
use longhand_kit::cookie::{Cookies, SetCookie};
use longhand_kit::form::Form;
use longhand_kit::log::Log;
use longhand_kit::metrics::Metrics;
use longhand_kit::session::Sessions;
use longhand_kit::signed::Keys;
use longhand_kit::{base64, mac};

use crate::planted::assert_untold;

const PASSWORD: &str = "Bw8nJd5RtFy2Gx7k";
const WRONG: &str = "Lr5gYc8NfWd3Hs6u";
const TOKEN: &str = "Zt9bVk4MjQx2Ep7a";
const KEY: &str = "Gn6wRy3CsDh8Uf5i-Gn6wRy3CsDh8Uf5i";
/// In a target, which the events show whole and the logs do not.
const QUERY: &str = "Ao4pTz7LvKm2Jq9e";

static METRICS: Metrics = Metrics::new();

/// Something that has been said, and who has a copy of it hears more.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl Said {
    fn say(&self, text: &str) {
        let mut bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bytes.extend_from_slice(text.as_bytes());
    }

    fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What the panics of this process say, which stands on standard error too.
fn panics() -> Said {
    static TOLD: OnceLock<Said> = OnceLock::new();
    let hook = || {
        let (told, before) = (Said::default(), panic::take_hook());
        let tell = told.clone();
        panic::set_hook(Box::new(move |info| {
            tell.say(&format!("{info}\n"));
            before(info);
        }));
        told
    };
    TOLD.get_or_init(hook).clone()
}

struct Site {
    accounts: Accounts,
    sessions: Sessions,
    tokens: Tokens,
    keys: Keys,
    handle: Handle,
}

impl Site {
    fn answer(&self, request: &mut Request<'_>) -> Result<Response, Response> {
        match request.path() {
            "/sign-in" => self.sign_in(request),
            "/me" => {
                let user = self.sessions.find_text(request)?;
                Ok(Response::text(user.unwrap_or_else(|| "a stranger".to_owned())))
            }
            "/coupon" => {
                let signed = Cookies::of(request).get("coupon").unwrap_or_default();
                let value = self.keys.verify("coupon", "coupon", signed, request.wall())?;
                Ok(Response::bytes("text/plain", value))
            }
            "/basic" => Ok(Response::text(self.accounts.basic(request, None)?)),
            "/token" => Ok(Response::text(self.tokens.admit(request)?.to_owned())),
            "/panics" => {
                // What people write: the secret is at hand, and the value is unwrapped.
                let secret = Form::read(request)?.first("password").unwrap_or_default().to_owned();
                let hash: PasswordHash = secret.parse().unwrap();
                Ok(Response::text(hash.rounds().to_string()))
            }
            "/fails" => {
                let form = Form::read(request)?;
                let key = form.first("password").unwrap_or_default();
                Keys::parse(key).map_err(Response::failed)?;
                Ok(Response::text("it is a key"))
            }
            "/.metrics" => Ok(METRICS.answer(&self.handle)),
            _ => Ok(Status::NOT_FOUND.into_response()),
        }
    }

    fn sign_in(&self, request: &mut Request<'_>) -> Result<Response, Response> {
        let form = Form::read(request)?;
        let text = |name| form.first(name).unwrap_or_default();
        self.accounts.check(request.now(), None, text("user"), text("password"))?;
        let expiry = request.wall() + Duration::from_secs(60);
        let coupon = self.keys.sign("coupon", "coupon", "ten percent", expiry);
        let response = SetCookie::new("coupon", coupon).add_to(Response::redirect("/me"))?;
        Ok(self.sessions.sign_in(request, text("user"), response)?)
    }
}

/// A request with these field lines and this form, which may be empty.
fn asked(method: &str, target: &str, lines: &str, form: &str) -> String {
    let kind = "Content-Type: application/x-www-form-urlencoded";
    let length = form.len();
    format!(
        "{method} {target} HTTP/1.1\r\nHost: x\r\n{lines}{kind}\r\nContent-Length: {length}\r\n\r\n{form}"
    )
}

/// Every way of bringing a secret, right and wrong; each on a connection of its own, with the status that
/// comes of it.
fn requests() -> Vec<(String, u16)> {
    let post = |target: &str, form: &str| asked("POST", target, "", form);
    let get = |target: &str, lines: &str| asked("GET", target, lines, "");
    let basic = |text: &str| format!("Authorization: Basic {}\r\n", base64::encode(text));
    let forged = base64::encode_url(WRONG);
    vec![
        (post("/sign-in", &format!("user=ada&password={PASSWORD}")), 303),
        (post("/sign-in", &format!("user=ada&password={WRONG}")), 403),
        (post("/sign-in", &format!("user=eve&password={PASSWORD}")), 403),
        (post("/sign-in", &format!("password={PASSWORD}%")), 400),
        (post("/sign-in", &format!("password={PASSWORD}&{}", "a=&".repeat(1_001))), 400),
        (post("/panics", &format!("password={PASSWORD}")), 500),
        (post("/fails", &format!("password={PASSWORD}")), 500),
        (get("/basic", &basic(&format!("ada:{PASSWORD}"))), 200),
        (get("/basic", &basic(&format!("ada:{WRONG}"))), 401),
        // Typed where the user name belongs.
        (get("/basic", &basic(&format!("{PASSWORD}:"))), 401),
        (get("/basic", &basic(&format!("{PASSWORD}\n"))), 401),
        (get("/basic", &format!("Authorization: Basic {PASSWORD}!\r\n")), 401),
        (get("/basic", &basic(&format!("ada:{PASSWORD}")).repeat(2)), 401),
        (get("/token", &format!("Authorization: Bearer {TOKEN}\r\n")), 200),
        (get("/token", &format!("Authorization: Bearer {WRONG}\r\n")), 401),
        (get("/token", &format!("Authorization: Bearer {TOKEN},\r\n")), 400),
        (get("/token", &format!("Authorization: {TOKEN}\r\n")), 401),
        (get("/token", &format!("Authorization: Bearer {TOKEN}\x01\r\n")), 400),
        (get("/token", &format!("Authorization : Bearer {TOKEN}\r\n")), 400),
        (get("/token", &format!("Authorization: Bearer\r\n {TOKEN}\r\n")), 400),
        (get("/token", &format!("Authorization: Bearer {}\r\n", TOKEN.repeat(2_000))), 431),
        (get("/me", &format!("Cookie: __Host-sid={forged}\r\n")), 200),
        (get("/coupon", &format!("Cookie: coupon={forged}.9999999999.{forged}\r\n")), 403),
        (get(&format!("/me?token={QUERY}"), &format!("Referer: http://x/?{QUERY}\r\n")), 200),
        (get(&format!("/nobody?token={QUERY}"), ""), 404),
        ("GET /.metrics HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(), 200),
    ]
}

#[test]
fn neither_logs_nor_events_nor_counters_nor_answers_nor_panics_tell_a_secret() {
    let (panicked, logged, events) = (panics(), Said::default(), Said::default());
    let server = Server::bind("127.0.0.1:0").unwrap();
    let (address, handle) = (server.local_addr().unwrap(), server.handle());
    let hash = PasswordHash::make(PASSWORD, 1_000).unwrap();
    let accounts = Accounts::new(move |user| (user == "ada").then(|| hash.clone())).unwrap();
    let site = Site {
        accounts: accounts.rounds(1_000),
        sessions: Sessions::new(),
        tokens: Tokens::new().token("backup", mac::sha256(TOKEN.as_bytes())),
        keys: Keys::parse(KEY).unwrap(),
        handle: handle.clone(),
    };
    let (combined, json) = (Log::combined(logged.clone()), Log::json(logged.clone()));
    let shown = events.clone();
    let server = server.observe(move |event| {
        METRICS.observe(event);
        combined.observe(event);
        json.observe(event);
        shown.say(&format!("{event:?}\n{event:#?}\n"));
    });
    let mut answered = String::new();
    let mut cookies = Vec::new();
    thread::scope(|scope| {
        let running = scope.spawn(|| server.run(|request: &mut Request<'_>| site.answer(request)));
        let mut ask = |request: String, status: u16| {
            let mut client = Client::to(address);
            let answer = client.send(&request).answer();
            assert_eq!(answer.status, status, "{request}\n{}", answer.text());
            for (name, value) in &answer.fields {
                if name == "set-cookie" {
                    cookies.push(value.split(';').next().unwrap().to_owned());
                } else {
                    answered += &format!("{name}: {value}\n");
                }
            }
            answered += &answer.text();
        };
        requests().into_iter().for_each(|(request, status)| ask(request, status));
        let pairs = cookies.join("; ");
        let lines = format!("Cookie: {pairs}\r\n");
        for (target, status) in [("/me", 200), ("/coupon", 200), ("/nobody", 404)] {
            let mut client = Client::to(address);
            let answer = client.send(asked("GET", target, &lines, "")).answer();
            assert_eq!(answer.status, status, "{target}");
            answered += &answer.text();
        }
        handle.drain(Duration::ZERO, NEVER);
        running.join().unwrap().unwrap();
    });
    assert_eq!(cookies.len(), 2, "a coupon and a session: {cookies:?}");
    let values = cookies.iter().map(|pair| pair.split_once('=').unwrap().1);
    let mut secrets = vec![PASSWORD, WRONG, TOKEN, KEY];
    secrets.extend(values);
    assert_untold("an event", &events.text(), &secrets);
    secrets.push(QUERY);
    for (place, said) in
        [("a log", logged.text()), ("a panic", panicked.text()), ("an answer", answered)]
    {
        assert_untold(place, &said, &secrets);
        assert!(!said.is_empty(), "{place} says nothing");
    }
    // What was looked through is what was meant: a line for each answer in both logs, the panic, the error.
    assert_eq!(logged.text().lines().count(), 2 * (requests().len() + 3), "{}", logged.text());
    for wanted in ["password hash, byte 0", "key 1 of 1 has 16 bytes", "the handler panicked"] {
        assert!(events.text().contains(wanted), "{wanted}: {}", events.text());
    }
    assert!(panicked.text().contains("password hash, byte 0"), "{}", panicked.text());
}
