//! Remembers your name in a cookie for a minute: once as it is, and once signed.
//!
//! ```text
//! cargo run --example cookies
//! open http://127.0.0.1:8000/ in a browser, or:
//! curl -i -c jar -b jar -d yourname=Ada http://127.0.0.1:8000/signed
//! curl -i -c jar -b jar http://127.0.0.1:8000/signed
//! ```
//!
//! `/` believes what it gets: `curl -b yourname=Grace http://127.0.0.1:8000/` is greeted as Grace.
//! `/signed` does not: change a letter in the file `jar`, and the value is refused.
//!
//! `SECRET_KEY=new,old` are the keys that sign, each of 32 bytes or more: the first signs, all of them
//! verify. Without it the key is random, and what it has signed is refused after a restart.

use std::env;
use std::process::{ExitCode, exit};
use std::time::{Duration, SystemTime};

use longhand::wire::percent_decode;
use longhand::{IntoResponse, Limits, Request, Response, Status};
use longhand_kit::cookie::{Cookies, SetCookie, encode};
use longhand_kit::form::Form;
use longhand_kit::html::Html;
use longhand_kit::signed::{Keys, Unverified};

/// The field of the form, and the cookie of the page that signs nothing.
const NAME: &str = "yourname";
/// The cookie of the page that signs.
const SIGNED: &str = "signedname";
/// How long both last.
const LASTS: Duration = Duration::from_secs(60);
/// Bytes of a name. Signed or with each byte as `%xx`, it stays below the 4096 that browsers keep.
const LONGEST: usize = 1_000;

const METHODS: &str = "GET, HEAD, OPTIONS, POST";

fn main() -> ExitCode {
    let keys = keys();
    // A form with one name: some room for longer ones, which are told that they are.
    let server = setup::bind().limits(Limits { body: 64 << 10, ..Limits::default() });
    setup::run(server, |request: &mut Request<'_>| {
        let mut response = answer(request, &keys).into_response();
        for (name, value) in [
            ("Cache-Control", "no-store"),
            (
                "Content-Security-Policy",
                "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            ),
            ("X-Content-Type-Options", "nosniff"),
        ] {
            response = response.field(name, value);
        }
        response
    })
}

/// The keys of `SECRET_KEY`. A bad one ends the program, and is not shown.
fn keys() -> Keys {
    let keys = match env::var_os("SECRET_KEY") {
        Some(text) => {
            Keys::parse(text.into_encoded_bytes()).map_err(|bad| format!("SECRET_KEY: {bad}"))
        }
        None => {
            setup::complain(
                "SECRET_KEY is not set: the key is random, and signed cookies are refused after a restart",
            );
            Keys::random().map_err(|error| format!("no random key, and no SECRET_KEY: {error}"))
        }
    };
    keys.unwrap_or_else(|problem| {
        eprintln!("{problem}");
        exit(2)
    })
}

fn answer(request: &mut Request<'_>, keys: &Keys) -> Result<Response, Response> {
    let path = match request.path() {
        "/" => "/",
        "/signed" => "/signed",
        _ => return Err(Status::NOT_FOUND.into_response()),
    };
    match request.method() {
        "GET" | "HEAD" => Ok(Response::html(page(&greeting(request, path, keys)))),
        "POST" => remember(request, path, keys),
        "OPTIONS" => Ok(Response::new(Status::NO_CONTENT).field("Allow", METHODS)),
        _ => Err(Status::METHOD_NOT_ALLOWED.into_response().field("Allow", METHODS)),
    }
}

/// What the visitor is told. Nothing of a cookie that was refused is in it.
fn greeting(request: &Request<'_>, path: &str, keys: &Keys) -> Html {
    let mut told = Html::new();
    if request.field("Cookie").is_none() {
        told.raw("I don't know you yet. What is your name?");
        return told;
    }
    let cookies = Cookies::of(request);
    let name = match path {
        "/signed" => cookies.get(SIGNED).map(|value| unsign(keys, value, request.wall())),
        _ => cookies.get(NAME).map(|value| Ok(decode(value))),
    };
    match name {
        Some(Ok(name)) if !name.is_empty() => told.raw("Hello again, ").text(name).raw("!"),
        Some(Err(refused)) => told.raw("I do not believe your cookie: ").text(refused).raw("."),
        _ => told
            .raw("I'm not sure who you are: your browser sent cookies, but none with your name."),
    };
    told
}

fn unsign(keys: &Keys, value: &[u8], now: SystemTime) -> Result<String, Unverified> {
    let name = keys.verify("greeting", SIGNED, value, now)?;
    Ok(String::from_utf8_lossy(&name).into_owned())
}

/// The name in a cookie that anybody may have set: what is no escape, or no text, is shown as it is.
fn decode(value: &[u8]) -> String {
    let decoded = str::from_utf8(value).ok().and_then(|text| percent_decode(text).ok());
    String::from_utf8_lossy(decoded.as_deref().unwrap_or(value)).into_owned()
}

/// Sets the cookie and sends the browser back to the page, which then knows the name.
fn remember(request: &mut Request<'_>, path: &str, keys: &Keys) -> Result<Response, Response> {
    let form = Form::read(request)?;
    let mut refused = Html::new();
    let Some(name) = form.first(NAME).filter(|name| !name.trim().is_empty()) else {
        refused.raw("You did not tell me your name: the field `yourname` is missing or empty.");
        return Err(Response::html(page(&refused)).status(Status::BAD_REQUEST));
    };
    if name.len() > LONGEST {
        refused.raw("That name is too long for my cookies: it has ").text(name.len());
        refused.raw(" bytes, up to ").text(LONGEST).raw(" fit.");
        return Err(Response::html(page(&refused)).status(Status::BAD_REQUEST));
    }
    let cookie = match path {
        "/signed" => {
            let signed = keys.sign("greeting", SIGNED, name, request.wall() + LASTS);
            SetCookie::new(SIGNED, signed).path(path)
        }
        _ => SetCookie::new(NAME, encode(name)),
    };
    let cookie = cookie.max_age(LASTS).secure_if(request.is_secure());
    Ok(cookie.add_to(Response::redirect(path))?)
}

fn page(message: &Html) -> Html {
    let mut page = Html::new();
    page.raw(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>I Remember You</title>\n<p>",
    )
    .piece(message)
    .raw(
        "</p>\n<form method=\"POST\">\n<label>Your name: \
         <input type=\"text\" name=\"yourname\" autocomplete=\"off\" required></label>\n\
         <button type=\"submit\">Remember me</button>\n</form>\n\
         <p>For a minute: <a href=\"/\">as it is</a>, or <a href=\"/signed\">signed</a>.</p>\n</html>\n",
    );
    page
}
