//! What may stand in a folder besides files: links, pipes, sockets, what may not be read, what
//! changes while it is sent, and what is larger than memory.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::time::{Duration, SystemTime};

use harness::client::Client;
use harness::program::{Program, example};

use crate::{SECRET, Site, ask, get};

#[test]
fn a_link_is_followed_inside_of_the_root_and_nowhere_else() {
    let site = Site::new();
    site.write("real/a.txt", "inside").write(".hidden/a.txt", "linked to").write("b.css", "b");
    let root = &site.root;
    fs::create_dir(site.folder.path().join("site-two")).unwrap();
    fs::write(site.folder.path().join("site-two/a.txt"), SECRET).unwrap();
    for (target, link) in [
        ("real/a.txt", "file"),
        ("real", "folder"),
        ("../site/real/a.txt", "around"),
        // As a mounted configuration has them: the data is behind a hidden name.
        (".hidden/a.txt", "to-hidden"),
        ("../secret.txt", "out"),
        ("..", "up"),
        ("/etc", "etc"),
        // The root's name is the beginning of this one's.
        ("../site-two", "twin"),
        ("/dev/zero", "device"),
        ("loop", "loop"),
        ("ping", "pong"),
        ("pong", "ping"),
        ("nothing", "dangling"),
        ("../secret.txt", "b.css.br"),
    ] {
        symlink(target, root.join(link)).unwrap();
    }
    symlink(root.join("real/a.txt"), root.join("absolute")).unwrap();
    let program = site.serve(&[("LISTING", "1"), ("PRECOMPRESSED", "1")]);
    for (target, status, body) in [
        ("/file", 200, "inside"),
        ("/absolute", 200, "inside"),
        ("/folder/a.txt", 200, "inside"),
        ("/around", 200, "inside"),
        ("/to-hidden", 200, "linked to"),
        ("/folder", 301, ""),
    ] {
        let answer = get(&program, target);
        assert_eq!((answer.status, answer.text().as_str()), (status, body), "{target}");
    }
    let page = get(&program, "/").text();
    for name in [
        "out",
        "up",
        "up/secret.txt",
        "up/",
        "etc",
        "etc/passwd",
        "twin",
        "twin/a.txt",
        "device",
        "loop",
        "ping",
        "pong",
        "dangling",
    ] {
        assert_eq!(get(&program, &format!("/{name}")).status, 404, "{name}");
        assert!(!page.contains(&format!("\"./{name}")), "{name} is shown in {page}");
    }
    for name in ["file", "folder/", "absolute", "to-hidden"] {
        assert!(page.contains(&format!("\"./{name}\"")), "{name} is not shown in {page}");
    }
    // Nor does a sibling lead out.
    assert_eq!(ask(&program, "GET", "/b.css", "Accept-Encoding: br\r\n").text(), "b");
}

#[test]
fn pipes_and_sockets_are_not_there_and_are_never_opened() {
    let site = Site::new();
    site.write("a.txt", "a").write("pipes/x", "x");
    let made = Command::new("mkfifo").arg(site.root.join("fifo")).status().unwrap();
    assert!(made.success());
    symlink("fifo", site.root.join("to-fifo")).unwrap();
    fs::rename(site.root.join("fifo"), site.root.join("pipes/index.html")).unwrap();
    symlink("pipes/index.html", site.root.join("fifo")).unwrap();
    let _socket = UnixListener::bind(site.root.join("socket")).unwrap();
    let program = site.serve(&[]);
    // To open a pipe for reading would wait for a writer, and the answer for ever.
    for target in ["/fifo", "/to-fifo", "/pipes/index.html", "/pipes/", "/socket"] {
        assert_eq!(get(&program, target).status, 404, "{target}");
    }
    let listed = site.serve(&[("LISTING", "1")]);
    let (page, inner) = (get(&listed, "/").text(), get(&listed, "/pipes/").text());
    assert!(page.contains("./a.txt") && inner.contains("./x"), "{page}{inner}");
    for name in ["fifo", "socket", "index.html"] {
        assert!(!page.contains(name) && !inner.contains(name), "{name}: {page}{inner}");
    }
}

#[test]
fn what_may_not_be_read_is_answered_as_what_is_not_there() {
    let site = Site::new();
    site.write("closed.txt", SECRET).write("closed/a.txt", SECRET).write("a.txt", "a");
    for name in ["closed.txt", "closed"] {
        fs::set_permissions(site.root.join(name), Permissions::from_mode(0o0)).unwrap();
    }
    // Who may read everything, as root in a container, cannot try this.
    let is_bound = File::open(site.root.join("closed.txt")).is_err();
    let program = site.serve(&[("LISTING", "1")]);
    if is_bound {
        let missing = get(&program, "/missing");
        for target in ["/closed.txt", "/closed/a.txt", "/closed/missing", "/closed/"] {
            let answer = get(&program, target);
            assert_eq!((answer.status, answer.body), (404, missing.body.clone()), "{target}");
        }
    }
    assert_eq!(get(&program, "/a.txt").text(), "a");
    fs::set_permissions(site.root.join("closed"), Permissions::from_mode(0o755)).unwrap();
}

/// More than the buffers of a connection take, so that the server is in the middle of it when its
/// head has arrived.
const LARGE: u64 = 64 << 20;

/// A large file, and a connection that has the head of it and no more.
fn in_the_middle() -> (Site, File, Program, Client) {
    let site = Site::new();
    site.write("large", "");
    let file = File::options().append(true).open(site.root.join("large")).unwrap();
    file.set_len(LARGE).unwrap();
    let program = site.serve(&[]);
    let mut client = program.client();
    client.send("GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    client.expect_bytes(b"\r\n\r\n");
    (site, file, program, client)
}

#[test]
fn a_file_that_shrinks_while_it_is_sent_cuts_the_connection() {
    let (_site, file, program, mut client) = in_the_middle();
    file.set_len(10).unwrap();
    // By its end or by a reset: either way the client can tell that this is not all.
    let received = client.rest().map_or(0, |bytes| bytes.len() as u64);
    assert!(received < LARGE, "{received}");
    assert_eq!(get(&program, "/large").body.len(), 10, "the server goes on");
}

#[test]
fn of_a_file_that_grows_the_announced_length_is_sent() {
    let (_site, file, _program, mut client) = in_the_middle();
    file.set_len(2 * LARGE).unwrap();
    assert_eq!(client.rest().unwrap().len() as u64, LARGE);
}

#[test]
fn a_file_of_five_gigabytes_is_sent_from_its_end() {
    const LENGTH: u64 = 5 << 30;
    let site = Site::new();
    site.write("sparse.bin", "");
    let file = File::options().write(true).open(site.root.join("sparse.bin")).unwrap();
    if file.set_len(LENGTH).is_err() {
        return; // A file system without holes has no place for it.
    }
    file.write_all_at(b"the end", LENGTH - 7).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(60)).unwrap();
    let program = site.serve(&[]);
    let head = ask(&program, "HEAD", "/sparse.bin", "");
    assert_eq!(head.field("content-length"), Some(LENGTH.to_string().as_str()));
    for range in ["bytes=-7", "bytes=5368709113-", "bytes=5368709113-5368709119"] {
        let answer = ask(&program, "GET", "/sparse.bin", &format!("Range: {range}\r\n"));
        assert_eq!((answer.status, answer.text().as_str()), (206, "the end"), "{range}");
        assert_eq!(answer.field("content-range"), Some("bytes 5368709113-5368709119/5368709120"));
    }
    let several = ask(&program, "GET", "/sparse.bin", "Range: bytes=0-0,-3\r\n");
    assert!(several.text().contains("\r\n\r\nend\r\n--"), "{}", several.text());
    // Who leaves in the middle is no trouble.
    let mut client = program.client();
    client.send("GET /sparse.bin HTTP/1.1\r\nHost: x\r\n\r\n");
    client.expect_bytes(b"\r\n\r\n");
    drop(client);
    assert_eq!(ask(&program, "HEAD", "/sparse.bin", "").status, 200);
}

#[test]
fn a_root_that_goes_away_is_not_found_and_comes_back() {
    let site = Site::new();
    site.write("a.txt", "a");
    let program = site.serve(&[]);
    let elsewhere = site.folder.path().join("elsewhere");
    fs::rename(&site.root, &elsewhere).unwrap();
    assert_eq!(get(&program, "/a.txt").status, 404);
    fs::rename(&elsewhere, &site.root).unwrap();
    assert_eq!(get(&program, "/a.txt").text(), "a");
}

#[test]
fn a_server_out_of_descriptors_says_so_and_recovers() {
    let site = Site::new();
    site.write("a.txt", "a");
    // Standard streams, the listener, what signals need, what threads that wait for connections reserve, and
    // a few connections.
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -n 28 && exec \"$0\" \"$1\""]);
    shell.arg(example("files")).arg(&site.root);
    shell.env_clear().env("PORT", "0");
    let program = Program::start(shell);
    let mut clients: Vec<Client> = Vec::new();
    let refused = loop {
        let mut client = program.client();
        client.get("/a.txt");
        let answer = client.answer();
        clients.push(client);
        if answer.status != 200 {
            break answer;
        }
        assert!(clients.len() < 28, "it never ran out");
    };
    assert_eq!((refused.status, refused.text().as_str()), (500, "500 Internal Server Error\n"));
    // The rest go, and the server sees one after the other. Each try is a whole exchange.
    let mut last = clients.pop().unwrap();
    drop(clients);
    let recovered = (0..100_000).any(|_| last.get("/a.txt").answer().status == 200);
    assert!(recovered, "it never came back");
}
