//! The files that deploy the bookmark server, by the programs that read them: a Procfile, systemd's units, and
//! a static program in an empty root.
//!
//! Needs honcho (its file is named by `HONCHO`; `.ci/run deployed` brings it), systemd's tools, and
//! root for `chroot`; without them the tests fail and say so.
#![allow(clippy::unwrap_used, reason = "clippy takes only functions marked as tests for tests")]
#![cfg(target_os = "linux")]

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use harness::client::{Client, NEVER};
use harness::program::{Folder, Program, example};
use harness::running::run;
use longhand::{Request, Response, Server};

const DEPLOY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/bookmark/deploy");

/// The bookmark server as the buildpack's settings build it, and static besides.
fn built() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let config = fs::read_to_string(format!("{DEPLOY}/RustConfig")).unwrap();
        let flags = config.trim().strip_prefix("RUST_CARGO_BUILD_FLAGS=\"").unwrap();
        let flags = flags.strip_suffix('"').unwrap().split(' ');
        // Beside the other programs, and apart from them: their flags are others.
        let debug = example("bookmark");
        let target = debug.ancestors().nth(3).unwrap().join("deployed");
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.arg("build").args(flags).args(["--locked", "--quiet", "--target-dir"]).arg(&target);
        cargo.env("RUSTFLAGS", "-C target-feature=+crt-static");
        cargo.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        assert!(cargo.status().unwrap().success());
        target
    })
}

/// Kills what is still there.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    let sent = Command::new("sh").args(["-c", r#"kill -s "$0" "$1""#, name, &pid]).status();
    assert!(sent.unwrap().success());
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A connection, as soon as somebody listens.
fn connect(port: u16) -> Client {
    let end = Instant::now() + NEVER;
    loop {
        match Client::try_to(([127, 0, 0, 1], port).into()) {
            Ok(client) => return client,
            Err(error) => assert!(Instant::now() < end, "{error}: nobody listens"),
        }
        thread::yield_now();
    }
}

fn save(client: &mut Client, name: &str, uri: &str) {
    let form = format!("longuri={uri}&shortname={name}");
    client.send(format!(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{form}",
        form.len()
    ));
}

#[test]
fn honcho_runs_the_procfile_and_its_end_cuts_no_answer() {
    let honcho = env::var_os("HONCHO").expect("HONCHO names honcho; `.ci/run deployed` brings it");
    let (ask, asked) = channel();
    let (let_go, go) = channel::<()>();
    let go = Mutex::new(go);
    let site = run(Server::bind("127.0.0.1:0").unwrap(), move |_: &mut Request<'_>| {
        ask.send(()).unwrap();
        let _ = go.lock().unwrap().recv();
        Response::text("")
    });
    let folder = Folder::new();
    fs::copy(format!("{DEPLOY}/Procfile"), folder.file("Procfile")).unwrap();
    symlink(built(), folder.file("target")).unwrap();
    let port = free_port();
    let mut command = Command::new(honcho);
    command.args(["start"]).current_dir(folder.path());
    command.env("PORT", port.to_string()).env("CHECK_PRIVATE", "allow");
    command.env("STORE", "memory").env("ACCESS_LOG", "off").stdout(Stdio::piped());
    let mut honcho = Killed(command.spawn().expect("honcho"));
    // Before it has taken note of the program it trips over the signal itself.
    let mut output = BufReader::new(honcho.0.stdout.take().unwrap());
    let mut said = String::new();
    while !said.contains("started (pid=") {
        assert!(output.read_line(&mut said).unwrap() > 0, "honcho: {said}");
    }
    let mut client = connect(port);
    save(&mut client, "slow", &format!("http://{}/", site.address()));
    asked.recv_timeout(NEVER).unwrap();
    let mut resting = connect(port);
    assert_eq!(resting.get("/.healthz").answer().status, 200);
    signal(&honcho.0, "TERM");
    resting.expect_end();
    let_go.send(()).unwrap();
    let answer = client.answer();
    assert_eq!((answer.status, answer.closes()), (303, true));
    let begun = Instant::now();
    drop(client);
    let status = honcho.0.wait().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    // Of itself it tells the signal that ended it (128 and 15), of its program that it ended well.
    output.read_to_string(&mut said).unwrap();
    assert_eq!(status.code(), Some(143), "{said}");
    assert!(said.contains("stopped (rc=0)"), "{said}");
}

#[test]
fn systemd_reads_the_units_without_a_word() {
    let folder = Folder::new();
    for unit in ["bookmark@.service", "bookmark@.socket"] {
        let text = fs::read_to_string(format!("{DEPLOY}/{unit}")).unwrap();
        // It wants the program to be where it is said to be.
        let program = built().join("release/examples/bookmark");
        let text = text.replace("/usr/local/bin/bookmark", program.to_str().unwrap());
        fs::write(folder.file(unit), text).unwrap();
    }
    let mut command = Command::new("systemd-analyze");
    command
        .arg("verify")
        .args(["bookmark@8001.service", "bookmark@8001.socket"].map(|unit| folder.file(unit)));
    let said = command.output().expect("systemd-analyze, of the package systemd");
    let words = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success() && words.is_empty(), "{} {words}", said.status);
}

#[test]
fn a_socket_that_systemd_holds_is_taken() {
    let port = free_port();
    let mut command = Command::new("systemd-socket-activate");
    command.args(["-l", &format!("127.0.0.1:{port}"), "-E", "LISTEN=stdin", "-E", "STORE=memory"]);
    // The unit's StandardInput=socket does what this shell does.
    command.args(["sh", "-c", r#"exec "$0" 0<&3"#]).arg(example("bookmark"));
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = Killed(command.spawn().expect("systemd-socket-activate"));
    let mut client = connect(port);
    assert_eq!(client.get("/.healthz").answer().status, 200);
    drop(client);
    signal(&child.0, "TERM");
    assert!(child.0.wait().unwrap().success());
}

#[test]
fn a_static_program_runs_in_an_empty_root() {
    let root = Folder::new();
    let program = built().join("release/examples/bookmark");
    fs::copy(program, root.file("bookmark")).unwrap();
    fs::create_dir(root.path().join("data")).unwrap();
    let site = run(Server::bind("127.0.0.1:0").unwrap(), |_: &mut Request<'_>| Response::text(""));
    let settings: HashMap<&str, &str> = [
        ("PORT", "0"),
        ("HOST", "127.0.0.1"),
        ("STORE", "/data/bookmarks.log"),
        ("CHECK_PRIVATE", "allow"),
        ("PASSWORD", "open"),
        ("ACCESS_LOG", "off"),
    ]
    .into();
    let begin = || {
        let mut command = Command::new("chroot");
        // As the image has it: nobody.
        command.args(["--userspec=65532:65532"]).arg(root.path()).arg("/bookmark");
        command.env_clear().envs(&settings).env("PATH", env::var_os("PATH").unwrap());
        Program::start(command)
    };
    // Containers have it; there is no other device.
    let device = root.path().join("dev/urandom");
    fs::create_dir(root.path().join("dev")).unwrap();
    let made = Command::new("mknod").args(["-m", "444"]).arg(device).args(["c", "1", "9"]).status();
    assert!(made.unwrap().success(), "root, for a device");
    std::os::unix::fs::chown(root.path().join("data"), Some(65532), Some(65532))
        .expect("root, for chroot and another owner");
    let server = begin();
    let form = format!("longuri=http://{}/&shortname=a", site.address());
    let mut client = server.client();
    client.send(format!(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Authorization: Basic {}\r\nContent-Length: {}\r\n\r\n{form}",
        longhand_kit::base64::encode("me:open"),
        form.len()
    ));
    assert_eq!(client.answer().status, 303);
    server.kill();
    let again = begin();
    assert_eq!(again.client().get("/a").answer().status, 303);
}
