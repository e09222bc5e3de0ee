//! A bookmark server that is started, a site to bookmark, and what is asked of either.

use std::time::Duration;

use harness::program::{Program, command};
use harness::running::{Running, run};
use longhand::{Request, Response, Server, Status};
use ureq::Agent;
use ureq::http::Request as HttpRequest;

/// What a form's request begins with, where it is sent by hand.
pub(crate) const FORM_HEAD: &str =
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n";

pub(crate) fn start(settings: &[(&str, &str)]) -> Program {
    let mut command = command("bookmark", settings);
    // Nobody reads what it writes beyond its first line.
    command.env("ACCESS_LOG", "off");
    Program::start(command)
}

/// A site to bookmark: `/` answers 200 and every other path the status that it names.
pub(crate) fn site() -> Running {
    run(Server::bind("127.0.0.1:0").unwrap(), |request: &mut Request<'_>| {
        let status = match request.path() {
            "/" => Status::OK,
            "/redirect" => return Response::redirect("/"),
            path => Status::new(path[1..].parse().unwrap()).unwrap(),
        };
        Response::new(status)
    })
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

/// Sends a request as a browser's form does, if it has a body, and follows nothing.
pub(crate) fn send(
    method: &str,
    url: &str,
    fields: &[(&str, &str)],
    body: Option<&[u8]>,
) -> Answer {
    let agent: Agent = Agent::config_builder()
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .max_redirects(0)
        .timeout_global(Some(Duration::from_secs(30)))
        .build()
        .into();
    let mut request = HttpRequest::builder().method(method).uri(url);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let sent = match body {
        Some(body) => {
            let form = "application/x-www-form-urlencoded";
            agent.run(request.header("Content-Type", form).body(body).unwrap())
        }
        None => agent.run(request.body(()).unwrap()),
    };
    let mut answer = sent.unwrap();
    let text = |value: &ureq::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into();
    let fields = answer.headers();
    let fields = fields.iter().map(|(name, value)| (name.as_str().to_owned(), text(value)));
    Answer {
        status: answer.status().as_u16(),
        fields: fields.collect(),
        body: answer.body_mut().read_to_string().unwrap(),
    }
}

pub(crate) fn get(url: &str) -> Answer {
    send("GET", url, &[], None)
}

/// Posts a form; what is in it is encoded already.
pub(crate) fn post(url: &str, form: &str) -> Answer {
    send("POST", url, &[], Some(form.as_bytes()))
}

/// The form that saves a name and a URI without anything to encode.
pub(crate) fn form(name: &str, uri: &str) -> String {
    format!("longuri={uri}&shortname={name}")
}

pub(crate) fn save(server: &Program, name: &str, uri: &str) -> Answer {
    post(&server.url, &form(name, uri))
}
