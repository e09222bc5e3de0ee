//! What trusted proxies say of the client, read from the nearest hop outwards.
//!
//! Fields enter, with a function that knows the trusted; what the last trusted hop said leaves. The
//! fields are `Forwarded` (RFC 7239 section 4) and the three of `X-Forwarded-…`, which have its
//! lists without its pairs. More is taken than RFC 7239 allows in two places where nothing is lost
//! by it: blanks around a pair, and addresses without the quotes that their colons call for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use longhand::wire::{Fields, unquote};

use crate::origin::{Scheme, host_and_port};

/// What a hop said of the client. `None`: it said nothing that could be read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) address: Option<IpAddr>,
    pub(super) scheme: Option<Scheme>,
    pub(super) authority: Option<String>,
}

/// Walks `X-Forwarded-For` from the right, up to the first address that is not trusted.
///
/// Scheme and host are those that the same hop saw. Many proxies replace these two fields and do not
/// add to them; then there are fewer values than hops, and the leftmost counts.
pub(super) fn from_x_forwarded(
    fields: Fields<'_>,
    reads_host: bool,
    trusts: impl Fn(IpAddr) -> bool,
) -> Said {
    let (mut address, mut hops) = (None, 0);
    let values = |name| from_right(fields, name, |value| value.iter().rposition(|&c| c == b','));
    for hop in values("X-Forwarded-For") {
        let Some(seen) = node(hop) else { break };
        (address, hops) = (Some(seen), hops + 1);
        if !trusts(seen) {
            break;
        }
    }
    // Where no address could be read, the nearest hop may still have told its scheme.
    let of_hop = |name| values(name).take(hops.max(1)).last();
    let scheme = of_hop("X-Forwarded-Proto").and_then(Scheme::parse);
    let authority = of_hop("X-Forwarded-Host").filter(|_| reads_host).and_then(authority);
    Said { address, scheme, authority }
}

/// Walks `Forwarded` from the right, up to the first address that is not trusted. What a hop does not
/// say is taken from the next nearer one.
pub(super) fn from_forwarded(fields: Fields<'_>, trusts: impl Fn(IpAddr) -> bool) -> Said {
    let mut said = Said::default();
    for element in from_right(fields, "Forwarded", last_comma) {
        let Some(hop) = forwarded_element(element) else { break };
        said.scheme = hop.scheme.or(said.scheme);
        said.authority = hop.authority.or(said.authority);
        let Some(seen) = hop.address else { break };
        said.address = Some(seen);
        if !trusts(seen) {
            break;
        }
    }
    said
}

// ABNF: #element => [ element ] *( OWS "," OWS [ element ] )            (RFC 9110 section 5.6.1.2)
/// The elements of all lines of this name, the last one first, without the empty ones. One that is
/// not UTF-8 leaves as `?`, which is neither an address nor a scheme nor a host: it ends the walk.
fn from_right<'b>(
    fields: Fields<'b>,
    name: &str,
    last_comma: impl Fn(&[u8]) -> Option<usize>,
) -> impl Iterator<Item = &'b str> {
    let mut lines: Vec<&[u8]> = fields.all(name).collect();
    std::iter::from_fn(move || {
        let line = lines.pop()?;
        match last_comma(line) {
            None => Some(line),
            Some(comma) => {
                lines.push(&line[..comma]);
                Some(&line[comma + 1..])
            }
        }
    })
    .map(|element| std::str::from_utf8(element.trim_ascii()).unwrap_or("?"))
    .filter(|element| !element.is_empty())
}

/// The last comma outside of a quoted-string, found backwards: a quote that somebody has left open
/// further to the left swallows nothing of what a proxy has added.
fn last_comma(value: &[u8]) -> Option<usize> {
    let mut quoted = false;
    for (i, octet) in value.iter().enumerate().rev() {
        match octet {
            b'"' => {
                let backslashes = value[..i].iter().rev().take_while(|&&c| c == b'\\').count();
                quoted ^= !quoted || backslashes % 2 == 0;
            }
            b',' if !quoted => return Some(i),
            _ => {}
        }
    }
    None
}

// ABNF: forwarded-element = [ forwarded-pair ] *( ";" [ forwarded-pair ] )  (RFC 7239 section 4)
//       forwarded-pair    = token "=" value
//       value             = token / quoted-string
/// `None` if it is malformed: then it is unknown who wrote it.
fn forwarded_element(mut element: &str) -> Option<Said> {
    let [mut by_for, mut by_proto, mut by_host] = [const { None::<String> }; 3];
    while !element.is_empty() {
        let (pair, rest) = element.split_at(pair_end(element.as_bytes()));
        element = rest.strip_prefix(';').unwrap_or_default();
        if pair.trim_ascii().is_empty() {
            continue;
        }
        let (name, value) = pair.trim_ascii().split_once('=')?;
        let value = if value.starts_with('"') {
            String::from_utf8(unquote(value.as_bytes())?).ok()?
        } else if value.contains('"') {
            return None;
        } else {
            value.to_owned()
        };
        let kept = match name.to_ascii_lowercase().as_str() {
            "for" => &mut by_for,
            "proto" => &mut by_proto,
            "host" => &mut by_host,
            _ => continue,
        };
        // "Each parameter MUST NOT occur more than once": two readers would choose differently.
        if kept.replace(value).is_some() {
            return None;
        }
    }
    Some(Said {
        address: by_for.as_deref().and_then(node),
        scheme: by_proto.as_deref().and_then(Scheme::parse),
        authority: by_host.as_deref().and_then(authority),
    })
}

/// The index of the semicolon that ends the first pair, or the length.
fn pair_end(element: &[u8]) -> usize {
    let mut quoted = false;
    let mut i = 0;
    while i < element.len() {
        match element[i] {
            b'"' => quoted = !quoted,
            b'\\' if quoted => i += 1,
            b';' if !quoted => return i,
            _ => {}
        }
        i += 1;
    }
    element.len()
}

// ABNF: node      = nodename [ ":" node-port ]                            (RFC 7239 section 6)
//       nodename  = IPv4address / "[" IPv6address "]" / "unknown" / obfnode
//       node-port = 1*5DIGIT / obfport
/// The address of a node; `None` for `unknown`, a name, and what cannot be read. IPv6 also without its
/// brackets, which `X-Forwarded-For` does not know.
fn node(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address.to_canonical());
    }
    let (address, port) = match text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        Some((inside, "")) => return Some(IpAddr::V6(inside.parse().ok()?).to_canonical()),
        Some((inside, port)) => (inside.parse::<Ipv6Addr>().ok()?.into(), port.strip_prefix(':')?),
        None => {
            let (address, port) = text.split_once(':')?;
            (address.parse::<Ipv4Addr>().ok()?.into(), port)
        }
    };
    is_node_port(port).then(|| IpAddr::to_canonical(&address))
}

// ABNF: port = 1*5DIGIT ; obfport = "_" 1*( ALPHA / DIGIT / "." / "_" / "-" )  (RFC 7239 section 6)
fn is_node_port(port: &str) -> bool {
    match port.strip_prefix('_') {
        Some(name) => {
            let allowed = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-');
            !name.is_empty() && name.bytes().all(allowed)
        }
        None => (1..=5).contains(&port.len()) && port.bytes().all(|c| c.is_ascii_digit()),
    }
}

fn authority(text: &str) -> Option<String> {
    host_and_port(text).map(|_| text.to_owned())
}
