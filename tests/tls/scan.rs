//! What a scanner finds.

use crate::clients::run;
use crate::server::Https;

#[test]
fn a_scanner_finds_nothing_old_and_nothing_weak() {
    let server = Https::start(&[]);
    let place = format!("localhost:{}", server.port);
    let did = run("sslscan", "sslscan", &["--no-colour", &place]);
    let told = did.text();
    let says = |line: &str| {
        assert!(told.lines().any(|found| found.trim_end() == line), "{line}:\n{told}");
    };
    for (protocol, state) in [
        ("SSLv2  ", "disabled"),
        ("SSLv3  ", "disabled"),
        ("TLSv1.0", "disabled"),
        ("TLSv1.1", "disabled"),
        ("TLSv1.2", "enabled"),
        ("TLSv1.3", "enabled"),
    ] {
        says(&format!("{protocol}   {state}"));
    }
    says("TLSv1.3 not vulnerable to heartbleed");
    says("TLSv1.2 not vulnerable to heartbleed");
    says("Session renegotiation not supported");
    // Every suite has forward secrecy and authenticated encryption.
    let suites: Vec<_> = told
        .lines()
        .filter(|line| line.starts_with("Preferred") || line.starts_with("Accepted"))
        .map(|line| line.split_whitespace().nth(4).unwrap())
        .collect();
    assert!(suites.len() >= 6, "{told}");
    for suite in suites {
        let forward = suite.starts_with("TLS_") || suite.starts_with("ECDHE-");
        let sealed = suite.contains("GCM") || suite.contains("CHACHA20");
        assert!(forward && sealed, "{suite}:\n{told}");
    }
}
