//! What proxies say of a client, with whatever the client has said before them.

use std::cell::RefCell;
use std::net::IpAddr;

use longhand::transport::Scripted;
use longhand::wire::{Fields, Parsed};
use longhand::{Limits, Request, Response, serve_connection};
use longhand_kit::forwarded::{Client, Proxies};

/// The address that the nearest trusted proxy saw.
const CLIENT: &str = "203.0.113.9";

/// What the client sent: values of a field, one a line.
///
/// # Panics
/// If a law is broken.
pub fn check(bytes: &[u8]) {
    let values: Vec<&[u8]> = bytes.split(|octet| *octet == b'\n').take(20).collect();
    plain(&values);
    for (name, proxies, added) in [
        ("X-Forwarded-For", Proxies::x_forwarded("10.0.0.0/8"), &[CLIENT][..]),
        ("X-Forwarded-For", Proxies::x_forwarded("10.0.0.0/8"), &[CLIENT, "10.0.0.2"]),
        (
            "Forwarded",
            Proxies::forwarded("10.0.0.0/8"),
            &["for=203.0.113.9;host=real.example;proto=https"],
        ),
        (
            "Forwarded",
            Proxies::forwarded("10.0.0.0/8"),
            &["for=\"203.0.113.9:80\";host=\"real.example\";proto=https", "for=10.0.0.2"],
        ),
    ] {
        let proxies = proxies.expect("a prefix");
        behind_a_proxy(name, &proxies, &values, &added.join(", "));
    }
}

/// What a client can make believed where nothing was added: an address that stands in what it sent.
fn plain(values: &[&[u8]]) {
    let lines = values.iter().flat_map(|value| {
        ["X-Forwarded-For", "Forwarded"]
            .map(|name| [name.as_bytes(), b": ", value, b"\r\n"].concat())
    });
    let section = [lines.collect::<Vec<_>>().concat(), b"\r\n".to_vec()].concat();
    let mut lines = Vec::new();
    let parsed = Fields::parse(&section, &Limits::default(), &mut lines);
    let Ok(Parsed::Complete { value: fields, .. }) = parsed else { return };
    let peer = |text: &str| text.parse().ok();
    let address = |text: &str| text.parse::<IpAddr>().ok();
    for make in [Proxies::x_forwarded, Proxies::forwarded] {
        let proxies = make("10.0.0.0/8, 2001:db8::/32").expect("prefixes");
        let stranger = proxies.address(peer("192.0.2.7:9"), fields);
        assert_eq!(stranger, address("192.0.2.7"), "a stranger is not believed");
        assert_eq!(proxies.address(None, fields), None);
        let found = proxies.address(peer("10.0.0.1:9"), fields).expect("at least the peer");
        assert_eq!(found, found.to_canonical());
        let text = String::from_utf8_lossy(&section);
        let parts = text.split(|c: char| !c.is_ascii_hexdigit() && !".:".contains(c));
        let is_said = parts
            .flat_map(|part| [part, part.rsplit_once(':').map_or(part, |p| p.0)])
            .filter_map(address)
            .any(|said| said.to_canonical() == found);
        let may_be_escaped = text.contains('\\');
        assert!(is_said || may_be_escaped || found == address("10.0.0.1").expect("an address"));
    }
}

/// Whatever stands to the left of what a trusted proxy adds changes nothing of it.
fn behind_a_proxy(name: &str, proxies: &Proxies, values: &[&[u8]], added: &str) {
    let (last, others) = values.split_last().expect("split gives one");
    let mut lines: Vec<Vec<u8>> =
        others.iter().map(|value| [name.as_bytes(), b": ", value, b"\r\n"].concat()).collect();
    let comma: &[u8] = if last.trim_ascii().is_empty() { b"" } else { b", " };
    let joined = [name.as_bytes(), b": ", last, comma, added.as_bytes(), b"\r\n"].concat();
    let apart = [name.as_bytes(), b": ", added.as_bytes(), b"\r\n"].concat();
    lines.push(joined);
    let first = client(&lines.concat(), proxies);
    lines.pop();
    lines.push([name.as_bytes(), b": ", last, b"\r\n"].concat());
    lines.push(apart);
    for client in [first, client(&lines.concat(), proxies)].into_iter().flatten() {
        assert_eq!(client.address(), CLIENT.parse().ok(), "{client:?}");
        if name == "Forwarded" {
            assert_eq!((client.authority(), client.is_secure()), ("real.example", true));
        } else {
            assert_eq!((client.authority(), client.is_secure()), ("x", false));
        }
    }
}

fn client(lines: &[u8], proxies: &Proxies) -> Option<Client> {
    let request = [b"GET / HTTP/1.1\r\nHost: x\r\n", lines, b"\r\n"].concat();
    let proxy = "10.0.0.1:9".parse().expect("an address");
    let mut peer = Scripted::new().address(proxy).send(request).end();
    let found = RefCell::new(None);
    serve_connection(&mut peer, &Limits::default(), |request: &mut Request<'_>| {
        found.replace(Some(proxies.client(request)));
        Response::text("").close()
    });
    found.into_inner()
}
