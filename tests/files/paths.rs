//! What a path may say: no spelling leads out of the folder, or to another host.

use std::fs;

use harness::program::Program;

use crate::{SECRET, Site, ask, get};

/// Spellings of `../secret.txt` and of other ways out, and what each is answered with.
const OUTWARD: &[(&str, u16)] = &[
    ("/../secret.txt", 400),
    ("/..", 400),
    ("/../", 400),
    ("/./../secret.txt", 400),
    ("/a/../../secret.txt", 400),
    ("/a/..", 400),
    ("/a/.", 400),
    ("/%2e%2e/secret.txt", 400),
    ("/%2E%2E/secret.txt", 400),
    ("/.%2e/secret.txt", 400),
    ("/%2e./secret.txt", 400),
    ("/..%2fsecret.txt", 400),
    ("/..%2Fsecret.txt", 400),
    ("/%2e%2e%2fsecret.txt", 400),
    ("/%2f../secret.txt", 400),
    ("/%2fetc%2fpasswd", 400),
    ("/a%2f..%2f..%2fsecret.txt", 400),
    ("/..\\secret.txt", 400),
    ("/..%5csecret.txt", 400),
    ("/..%5Csecret.txt", 400),
    ("/%2e%2e%5csecret.txt", 400),
    ("/\\..\\secret.txt", 400),
    ("/a\\..\\..\\secret.txt", 400),
    ("/C:\\secret.txt", 400),
    ("/..%c0%afsecret.txt", 400),
    ("/%c0%ae%c0%ae/secret.txt", 400),
    ("/%c0%2e%c0%2e/secret.txt", 400),
    ("/%e0%80%ae%e0%80%ae/secret.txt", 400),
    ("/..%c1%9csecret.txt", 400),
    ("/..%00/secret.txt", 400),
    ("/a.txt%00", 400),
    ("/%00", 400),
    ("/a.txt%00.jpg", 400),
    ("/..;/secret.txt", 404),
    ("/..%3b/secret.txt", 404),
    ("/..%20/secret.txt", 404),
    ("/.../secret.txt", 404),
    ("/..../secret.txt", 404),
    ("/%252e%252e/secret.txt", 404),
    ("/..%252fsecret.txt", 404),
    ("/%25%32%65%25%32%65/secret.txt", 404),
    ("/..%255csecret.txt", 404),
    ("/%u002e%u002e/secret.txt", 400),
    ("/%%32%65%%32%65/secret.txt", 400),
    ("//../secret.txt", 400),
    ("//secret.txt", 404),
    ("///etc/passwd", 404),
    ("/a//../../secret.txt", 400),
    ("/~root/secret.txt", 404),
    ("/file:///etc/passwd", 404),
    ("/c:/windows/win.ini", 404),
    ("/proc/self/environ", 404),
    ("/a.txt/../../secret.txt", 400),
    ("/a.txt/", 404),
    ("/a.txt/x", 404),
    ("/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd", 400),
    ("http://x/../secret.txt", 400),
    ("http://x/%2e%2e/secret.txt", 400),
];

fn site() -> (Site, Program) {
    let site = Site::new();
    site.write("a.txt", "inside").write("a/b.txt", "inside").write("d/index.html", "index");
    site.write(".hidden", "hidden").write("%41", "percent");
    let program = site.serve(&[("HIDDEN", "1"), ("LISTING", "1")]);
    (site, program)
}

#[test]
fn no_spelling_leads_out_of_the_folder() {
    let (site, program) = site();
    assert_eq!(get(&program, "/a.txt").text(), "inside");
    assert_eq!(fs::read_to_string(site.folder.path().join("secret.txt")).unwrap(), SECRET);
    for &(target, status) in OUTWARD {
        for method in ["GET", "HEAD"] {
            let answer = ask(&program, method, target, "");
            assert_eq!(answer.status, status, "{method} {target}");
            assert!(!answer.text().contains(SECRET), "{method} {target}");
            assert!(!answer.text().contains("root:"), "{method} {target}");
        }
    }
}

#[test]
fn escapes_are_undone_once() {
    let (_site, program) = site();
    assert_eq!(get(&program, "/%61%2e%74xt").text(), "inside");
    assert_eq!(get(&program, "/a/%62.txt").text(), "inside");
    assert_eq!(get(&program, "/%2541").text(), "percent");
    assert_eq!(get(&program, "/%41").status, 404);
    assert_eq!(get(&program, "/a.txt?../secret.txt").text(), "inside");
}

#[test]
fn a_redirect_stays_on_this_host_in_every_spelling() {
    let (_site, program) = site();
    for (target, location) in [
        ("/d", "./d/"),
        ("/%64", "./d/"),
        ("/d?next=//evil.example/", "./d/?next=//evil.example/"),
        ("/d?\\evil", "./d/?%5Cevil"),
        ("http://evil.example/d", "./d/"),
    ] {
        let answer = get(&program, target);
        assert_eq!((answer.status, answer.field("location")), (301, Some(location)), "{target}");
    }
    for target in [
        "//evil.example",
        "//evil.example/",
        "//evil.example/..",
        "//evil.example/%2e%2e",
        "//evil.example/d",
        "//d",
        "/%2fevil.example",
        "/%2f%2fevil.example",
        "/%2fd",
        "/\\evil.example",
        "/%5cevil.example",
        "/\\d",
        "/%09/evil.example",
        "/.//evil.example",
        "/d//",
        "/d//evil.example",
        "/d%0d%0aSet-Cookie:a=b",
    ] {
        let answer = get(&program, target);
        assert!([400, 404].contains(&answer.status), "{target}: {}", answer.status);
        assert_eq!(answer.field("location"), None, "{target}");
    }
}

#[test]
fn an_endless_path_is_not_found() {
    let (_site, program) = site();
    for target in [
        "/a".repeat(3_000),
        format!("/{}", "a".repeat(256)),
        format!("/{}", "%c3%a9".repeat(1_000)),
    ] {
        assert_eq!(get(&program, &target).status, 404, "{} bytes", target.len());
    }
}

#[test]
fn a_refused_path_is_named_by_its_segment() {
    let (_site, program) = site();
    let answer = get(&program, "/a/..%5c");
    assert_eq!(answer.text(), "path segment 2: expected a name, found a backslash\n");
    assert_eq!(answer.field("content-type"), Some("text/plain; charset=utf-8"));
}
