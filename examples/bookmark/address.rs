//! Which addresses are the public internet, and which are this server itself: unless its settings say
//! otherwise, a URI check connects to nothing else.
//!
//! A resolved address enters, yes or no leaves. Never ask with the text of a URI: glibc reads
//! `0177.0.0.1`, `2130706433` and `127.1` as 127.0.0.1, and a name can resolve to anything.
//!
//! The lists are IANA's special-purpose registries (RFC 6890 and its updates). std's stable
//! predicates know only some of them, and its `is_global` is not stable. For IPv4 the blocked
//! networks are listed; of IPv6 only `2000::/3` has been given out, so everything else is blocked
//! unseen, and the forms that carry an IPv4 address are judged by that address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Networks that are not the public internet, as address and prefix length.
const BLOCKED_V4: [(Ipv4Addr, u32); 15] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8), // this host: 0.0.0.0 connects to loopback on Linux
    (Ipv4Addr::new(10, 0, 0, 0), 8), // private
    (Ipv4Addr::new(100, 64, 0, 0), 10), // carrier-grade NAT
    (Ipv4Addr::new(127, 0, 0, 0), 8), // loopback
    (Ipv4Addr::new(169, 254, 0, 0), 16), // link-local; clouds keep credentials at 169.254.169.254
    (Ipv4Addr::new(172, 16, 0, 0), 12), // private
    (Ipv4Addr::new(192, 0, 0, 0), 24), // protocol assignments
    (Ipv4Addr::new(192, 0, 2, 0), 24), // documentation
    (Ipv4Addr::new(192, 88, 99, 0), 24), // 6to4 relays, withdrawn
    (Ipv4Addr::new(192, 168, 0, 0), 16), // private
    (Ipv4Addr::new(198, 18, 0, 0), 15), // benchmarks
    (Ipv4Addr::new(198, 51, 100, 0), 24), // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24), // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4), // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4), // reserved, and broadcast
];

/// Networks inside `2000::/3` that are not the public internet.
const BLOCKED_V6: [(Ipv6Addr, u32); 3] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments, Teredo among them
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];

const GLOBAL_UNICAST: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Whether an address belongs to the public internet.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !BLOCKED_V4.iter().any(|&network| in_v4(address, network)),
        IpAddr::V6(address) => match embedded_v4(address) {
            Some(inner) => is_public(IpAddr::V4(inner)),
            None => {
                in_v6(address, GLOBAL_UNICAST)
                    && !BLOCKED_V6.iter().any(|&network| in_v6(address, network))
            }
        },
    }
}

/// The IPv4 address that packets to this IPv6 address end up at, if it carries one.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let v4 = |high: u16, low: u16| Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)));
    match [a, b, c, d, e, f] {
        // v4-compatible and v4-mapped; `::` and `::1` become 0.0.0.0 and 0.0.0.1, which are
        // blocked.
        [0, 0, 0, 0, 0, 0 | 0xffff] => v4(g, h),
        // NAT64 (RFC 6052).
        [0x64, 0xff9b, 0, 0, 0, 0] => v4(g, h),
        // 6to4 (RFC 3056).
        [0x2002, ..] => v4(b, c),
        _ => None,
    }
}

fn in_v4(address: Ipv4Addr, (network, length): (Ipv4Addr, u32)) -> bool {
    (address.to_bits() ^ network.to_bits()).leading_zeros() >= length
}

fn in_v6(address: Ipv6Addr, (network, length): (Ipv6Addr, u32)) -> bool {
    (address.to_bits() ^ network.to_bits()).leading_zeros() >= length
}

/// What this server is to a request that reached it at `local`: that address and, where it listens on
/// all of them, loopback.
///
/// Port and address matter: behind other ports wait databases that trust whoever comes from this
/// machine, and another server may have the same port at 127.0.0.2.
pub(crate) fn own(local: Option<SocketAddr>, listens: Option<IpAddr>) -> Vec<SocketAddr> {
    let Some(local) = local.map(canonical) else { return Vec::new() };
    let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    // `::` takes IPv4 too, and 0.0.0.0 takes nothing else.
    let loopback = match listens.filter(IpAddr::is_unspecified) {
        Some(IpAddr::V6(_)) => &loopback[..],
        Some(IpAddr::V4(_)) => &loopback[..1],
        None => &[],
    };
    let loopback = loopback.iter().map(|&address| SocketAddr::new(address, local.port()));
    loopback.chain([local]).collect()
}

/// `::ffff:127.0.0.1`, as a socket for both families reports its peers, is 127.0.0.1.
pub(crate) fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public(text: &str) -> bool {
        is_public(text.parse().unwrap())
    }

    #[test]
    fn the_first_and_last_address_of_every_blocked_network_are_blocked() {
        for network in [
            "0.0.0.0 0.255.255.255",
            "10.0.0.0 10.255.255.255",
            "100.64.0.0 100.127.255.255",
            "127.0.0.0 127.255.255.255",
            "169.254.0.0 169.254.169.254 169.254.255.255",
            "172.16.0.0 172.31.255.255",
            "192.0.0.0 192.0.0.255",
            "192.0.2.0 192.0.2.255",
            "192.88.99.0 192.88.99.255",
            "192.168.0.0 192.168.255.255",
            "198.18.0.0 198.19.255.255",
            "198.51.100.0 198.51.100.255",
            "203.0.113.0 203.0.113.255",
            "224.0.0.0 239.255.255.255",
            "240.0.0.0 255.255.255.255",
            ":: ::1",
            "::7f00:1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:0:127.0.0.1",
            "64:ff9b::7f00:1 64:ff9b::10.0.0.1 64:ff9b:1::1",
            "2002:7f00:1:: 2002:a00:1::1 2002:a9fe:a9fe::",
            "100::1 5f00::1 4000::1",
            "2001::1 2001:2::1 2001:20::1 2001:db8::1 3fff::1",
            "fc00::1 fdff::1 fe80::1 fec0::1 ff02::1",
        ] {
            for address in network.split(' ') {
                assert!(!public(address), "{address}");
            }
        }
    }

    #[test]
    fn their_neighbours_are_public() {
        for address in [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2606:4700::1111",
            "2a00::1",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2002:808:808::1",
        ] {
            assert!(public(address), "{address}");
        }
    }
}
