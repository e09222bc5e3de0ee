//! What the instances are told of visitors, what visitors get by TLS, and what they cannot say of themselves.

use harness::client::Client;
use harness::program::Folder;

use crate::front::{Front, Kind};
use crate::{free_port, instance};

/// A front before one instance (on both places), which also says who asked.
fn front(kind: Kind, folder: &Folder) -> (Front, harness::program::Program) {
    let port = free_port();
    let server = instance(port, &folder.file("bookmarks.log"), "0");
    (Front::start(kind, [port, port]), server)
}

#[test]
fn visitors_are_who_they_are_and_not_who_they_say() {
    for kind in Kind::ALL {
        let folder = Folder::new();
        let (front, server) = front(kind, &folder);
        let request = front.agent().get(front.url("/who"));
        let answer = request
            .header("X-Forwarded-For", "203.0.113.7")
            .header("X-Forwarded-Proto", "http")
            .header("X-Forwarded-Host", "evil.example")
            .header("Forwarded", "for=203.0.113.8;proto=http")
            .call()
            .unwrap();
        assert_eq!(answer.status(), 404, "{kind:?}");
        let lines = server.said("\"target\":\"/who\"");
        let line = lines.last().unwrap();
        assert!(line.contains("\"client\":\"127.0.0.1\""), "{kind:?}: {line}");
        assert!(!lines.concat().contains("203.0.113") && !line.contains("evil"), "{line}");
    }
}

#[test]
fn by_tls_the_cookie_is_for_tls_and_the_own_form_is_taken() {
    for kind in Kind::TLS {
        let port = free_port();
        let hash = longhand_kit::auth::PasswordHash::make("open", 1_000).unwrap().to_string();
        let port_text = port.to_string();
        let mut command = harness::program::command(
            "bookmark",
            &[
                ("HOST", "127.0.0.1"),
                ("PORT", &port_text),
                ("STORE", "memory"),
                ("TRUSTED_PROXIES", "127.0.0.1"),
                ("PASSWORD", &hash),
            ],
        );
        command.env("ACCESS_LOG", "off");
        let _server = harness::program::Program::start(command);
        let front = Front::start(kind, [port, port]);
        let agent = front.agent();
        let own = format!("https://localhost:{}", front.https);
        let sign_in = |origin: &str| {
            let request = agent.post(front.url("/.login")).header("Origin", origin);
            request.send_form([("password", "open")]).unwrap()
        };
        let signed_in = sign_in(&own);
        assert_eq!(signed_in.status(), 303, "{kind:?}");
        let field = |name: &str| signed_in.headers().get(name).unwrap().to_str().unwrap();
        let cookie = field("set-cookie");
        assert!(cookie.starts_with("__Host-sid=") && cookie.contains("; Secure"), "{cookie}");
        assert_eq!(field("strict-transport-security"), "max-age=31536000", "{kind:?}");
        assert_eq!(sign_in("https://evil.example").status(), 403, "{kind:?}");
    }
}

#[test]
fn plain_http_is_led_to_tls_and_counters_are_not_for_visitors() {
    for kind in Kind::TLS {
        let folder = Folder::new();
        let (front, _server) = front(kind, &folder);
        let mut client = Client::to(([127, 0, 0, 1], front.http).into());
        let request = "GET /a?b HTTP/1.1\r\nHost: go.example\r\nConnection: close\r\n\r\n";
        let answer = client.send(request).answer();
        assert_eq!(answer.status, 308, "{kind:?}");
        let location = answer.field("location").unwrap();
        assert!(location.starts_with("https://go.example"), "{kind:?}: {location}");
        assert!(location.ends_with("/a?b"), "{kind:?}: {location}");
        let metrics = front.agent().get(front.url("/.metrics")).call().unwrap();
        assert_eq!(metrics.status(), 404, "{kind:?}");
    }
}

#[test]
fn nginx_keeps_what_may_be_kept_and_nothing_else() {
    let folder = Folder::new();
    let (front, server) = front(Kind::Nginx, &folder);
    let agent = front.agent();
    let get = |path: &str| agent.get(front.url(path)).call().unwrap();
    let page = get("/").into_body().read_to_string().unwrap();
    let style = page.split("href=\"").find(|part| part.starts_with("/.static/style")).unwrap();
    let style = style.split('"').next().unwrap();
    for path in [style, style, "/", "/"] {
        assert_eq!(get(path).status(), 200, "{path}");
    }
    server.signal("TERM");
    let lines = server.said_to_the_end();
    let asked = |path: &str| {
        lines.iter().filter(|line| line.contains(&format!("\"target\":\"{path}\""))).count()
    };
    assert_eq!((asked(style), asked("/")), (1, 3), "{lines:?}");
    // Also while no instance is there.
    assert_eq!(
        (get(style).status(), get("/").status()),
        (200.try_into().unwrap(), 502.try_into().unwrap())
    );
}

#[test]
fn the_page_of_an_import_comes_through_as_it_is_made() {
    use std::io::Read;
    use std::sync::Mutex;
    use std::sync::mpsc::channel;

    for kind in Kind::ALL {
        let folder = Folder::new();
        let (front, _server) = front(kind, &folder);
        let (let_go, go) = channel::<()>();
        let go = Mutex::new(go);
        let site = harness::running::run(
            longhand::Server::bind("127.0.0.1:0").unwrap(),
            move |_: &mut longhand::Request<'_>| {
                let _ = go.lock().unwrap().recv();
                longhand::Response::text("")
            },
        );
        let line =
            |n: usize| format!("{{\"name\":\"{n}\",\"uri\":\"http://{}/\"}}\n", site.address());
        let file: String = (0..8).map(line).collect();
        let request = front.agent().post(front.url("/.import"));
        let request =
            request.header("Accept", "text/html").header("Content-Type", "application/jsonl");
        let mut page = request.send(&file).unwrap().into_body().into_reader();
        let mut read = Vec::new();
        let mut some = [0; 4_096];
        while !String::from_utf8_lossy(&read).contains("0 of 8 …") {
            let count = page.read(&mut some).unwrap();
            assert!(count > 0, "{kind:?}: {}", String::from_utf8_lossy(&read));
            read.extend(&some[..count]);
        }
        drop(let_go);
        page.read_to_end(&mut read).unwrap();
        let read = String::from_utf8_lossy(&read);
        assert!(read.contains("8 saved, 0 skipped."), "{kind:?}: {read}");
    }
}
