//! What stands in front: a proxy with the configuration that comes with the bookmark server, on other
//! ports, or the balancer of the examples, which speaks no TLS.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use harness::client::NEVER;
use harness::program::{Folder, command};
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::free_port;

const NGINX: &str = include_str!("../../examples/bookmark/deploy/nginx.conf");
const HAPROXY: &str = include_str!("../../examples/bookmark/deploy/haproxy.cfg");

/// A program that stands in front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Nginx,
    HAProxy,
    Balancer,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Nginx, Self::HAProxy, Self::Balancer];
    /// Those that speak TLS.
    pub(crate) const TLS: [Self; 2] = [Self::Nginx, Self::HAProxy];
}

/// How it treats its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Patience {
    AsItComes,
    /// It waits a second for those who leave requests unfinished, takes plain HTTP, and checks nobody.
    Short,
}

/// A proxy that runs. Dropped, it is ended; by a test that fails, with what it has said.
pub(crate) struct Front {
    kind: Kind,
    child: Child,
    /// Shared by threads, which a channel's end by itself cannot be.
    said: Mutex<Receiver<String>>,
    folder: Folder,
    pub(crate) http: u16,
    pub(crate) https: u16,
}

impl Front {
    /// One before two instances on these ports of this machine, by TLS if it speaks it.
    pub(crate) fn start(kind: Kind, instances: [u16; 2]) -> Self {
        Self::start_as(kind, instances.map(here), Patience::AsItComes)
    }

    /// One before two instances that are anywhere.
    pub(crate) fn before(kind: Kind, instances: [SocketAddr; 2]) -> Self {
        Self::start_as(kind, instances, Patience::AsItComes)
    }

    /// One that passes on what comes by plain HTTP too, and waits for nobody.
    pub(crate) fn start_plain(kind: Kind, instances: [u16; 2]) -> Self {
        Self::start_as(kind, instances.map(here), Patience::Short)
    }

    fn start_as(kind: Kind, instances: [SocketAddr; 2], patience: Patience) -> Self {
        let folder = Folder::new();
        certificates(folder.path());
        // Somebody else may take a port meanwhile.
        for _ in 0..10 {
            let (http, https) = (free_port(), free_port());
            let mut child = match kind {
                Kind::Nginx => nginx(&folder, http, https, instances, patience),
                Kind::HAProxy => haproxy(&folder, http, https, instances, patience),
                Kind::Balancer => balancer(http, instances, patience),
            };
            let said = lines_of(&mut child);
            let speaks_tls = Kind::TLS.contains(&kind);
            if is_there(&mut child, if speaks_tls { https } else { http }) {
                return Self { kind, child, said: Mutex::new(said), folder, http, https };
            }
            eprintln!("{kind:?}: {:?}", said.iter().collect::<Vec<_>>());
        }
        panic!("{kind:?} does not start");
    }

    /// A client that knows who signs its certificate, and keeps its connection.
    pub(crate) fn agent(&self) -> Agent {
        let ca = fs::read(self.folder.file("ca.pem")).unwrap();
        let ca = Certificate::from_pem(&ca).unwrap();
        let roots = RootCerts::new_with_certs(&[ca]);
        Agent::config_builder()
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(30)))
            .build()
            .into()
    }

    /// A URL of it.
    pub(crate) fn url(&self, path: &str) -> String {
        match self.kind {
            Kind::Balancer => format!("http://localhost:{}{path}", self.http),
            _ => format!("https://localhost:{}{path}", self.https),
        }
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        // nginx ends its workers when it is asked to, and not when it is killed.
        let pid = self.child.id().to_string();
        let _ = Command::new("sh").args(["-c", r#"kill -s TERM "$0""#, &pid]).status();
        let _ = self.child.wait();
        if thread::panicking() {
            let said = self.said.get_mut().unwrap_or_else(PoisonError::into_inner);
            said.try_iter().for_each(|line| eprintln!("{:?}: {line}", self.kind));
        }
    }
}

fn here(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// What it writes, read on so that its pipe is never full.
fn lines_of(child: &mut Child) -> Receiver<String> {
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let (say, said) = channel();
    thread::spawn(move || lines.map_while(Result::ok).for_each(|line| drop(say.send(line))));
    said
}

/// Waits until it listens, or has ended.
fn is_there(child: &mut Child, port: u16) -> bool {
    let end = Instant::now() + NEVER;
    while Instant::now() < end {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return true;
        }
        thread::yield_now();
    }
    panic!("it neither listens nor ends");
}

/// The configuration with something else in the place of some of it, each of which must be there.
fn with(text: &str, changes: &[(&str, &str)]) -> String {
    let mut text = text.to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "the configuration has no {from:?}");
        text = text.replace(from, to);
    }
    text
}

fn nginx(
    folder: &Folder,
    http: u16,
    https: u16,
    instances: [SocketAddr; 2],
    patience: Patience,
) -> Child {
    let paths: Vec<String> = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|kind| format!("    {kind}_temp_path {kind};\n"))
        .collect();
    let waits = match patience {
        Patience::AsItComes => "",
        Patience::Short => {
            "    client_header_timeout 1s;\n    client_body_timeout 1s;\n    keepalive_timeout 1s;\n"
        }
    };
    let text = with(
        NGINX,
        &[
            ("listen 80 default_server", &format!("listen 127.0.0.1:{http} default_server")),
            (
                "listen 443 ssl default_server",
                &format!("listen 127.0.0.1:{https} ssl default_server"),
            ),
            ("https://$host$request_uri", &format!("https://$host:{https}$request_uri")),
            ("127.0.0.1:8001", &instances[0].to_string()),
            ("127.0.0.1:8002", &instances[1].to_string()),
            // Where distributions put these, not everybody may write.
            ("http {\n", &format!("http {{\n{}{waits}", paths.concat())),
        ],
    );
    let text = match patience {
        Patience::AsItComes => text,
        Patience::Short => {
            let redirect = format!("return 308 https://$host:{https}$request_uri;");
            with(&text, &[(&redirect, "proxy_pass http://again;")])
        }
    };
    fs::write(folder.file("nginx.conf"), text).unwrap();
    let mut command = Command::new("nginx");
    command.arg("-p").arg(folder.path()).args(["-c", "nginx.conf", "-e", "stderr"]);
    // Started as root, it would give its workers to somebody who may not read this folder.
    command.args(["-g", "daemon off; user root;"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().expect("nginx, of the package of that name")
}

fn haproxy(
    folder: &Folder,
    http: u16,
    https: u16,
    instances: [SocketAddr; 2],
    patience: Patience,
) -> Child {
    let mut text = with(
        HAPROXY,
        &[
            ("bind :80\n", &format!("bind 127.0.0.1:{http}\n")),
            ("bind :443 ", &format!("bind 127.0.0.1:{https} ")),
            ("127.0.0.1:8001", &instances[0].to_string()),
            ("127.0.0.1:8002", &instances[1].to_string()),
            ("log stdout format raw daemon", "log stderr format raw daemon"),
        ],
    );
    if patience == Patience::Short {
        text = with(
            &text,
            &[
                ("timeout client 75s", "timeout client 1s"),
                ("timeout http-request 10s", "timeout http-request 1s"),
                ("timeout http-keep-alive 75s", "timeout http-keep-alive 1s"),
                ("    http-request redirect scheme https code 308 unless { ssl_fc }\n", ""),
                ("    option httpchk GET /.healthz\n", ""),
                ("    http-check disable-on-404\n", ""),
            ],
        );
    }
    fs::write(folder.file("haproxy.cfg"), text).unwrap();
    let mut command = Command::new("haproxy");
    command.args(["-db", "-f", "haproxy.cfg"]).current_dir(folder.path());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().expect("haproxy, of the package of that name")
}

fn balancer(http: u16, instances: [SocketAddr; 2], patience: Patience) -> Child {
    let (port, backends) = (http.to_string(), instances.map(|one| one.to_string()));
    let settings = [
        ("PORT", &*port),
        ("BACKENDS", &*backends.join(",")),
        ("HEALTH_MS", if patience == Patience::Short { "0" } else { "1000" }),
    ];
    let mut command = command("balancer", &settings);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().expect("the balancer starts")
}

/// An authority and a certificate of it for this machine, by the three commands of the page about
/// deployment.
fn certificates(folder: &Path) {
    let commands = "
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key \
            -out ca.pem -days 30 -subj '/CN=An authority of this test'
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout tls.key \
            -out tls.csr -subj /CN=localhost
        printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n' > tls.ext
        openssl x509 -req -in tls.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 \
            -extfile tls.ext -out tls.pem
        cat tls.pem tls.key > tls-haproxy.pem";
    let made = Command::new("sh").args(["-e", "-c", commands]).current_dir(folder).output();
    let made = made.expect("a shell");
    assert!(made.status.success(), "openssl: {}", String::from_utf8_lossy(&made.stderr));
}
