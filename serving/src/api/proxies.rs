//! Proxies in front of this server: whose word is taken for who sends a request.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Networks such as `10.0.0.0/8`, and single addresses. Empty: nobody's word is taken.
#[derive(Clone, Debug, Default)]
pub struct Proxies(Vec<IpNet>);

impl Proxies {
    /// # Errors
    /// A sentence about the one that is none.
    pub fn new(networks: &[String]) -> Result<Self, String> {
        networks.iter().map(|given| network(given)).collect::<Result<_, _>>().map(Self)
    }

    pub fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Who sends a request: the peer of its connection. If that is a trusted proxy, the last of `X-Forwarded-For` that is none.
    pub fn caller(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.trusts(peer) {
            return peer;
        }
        // Each proxy adds its own peer at the end. What stands before a stranger, or before something that is no address,
        // anybody may have written.
        let entries = headers.get_all(FORWARDED_FOR).iter().rev().flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        let mut addresses = entries.map(|entry| entry.trim_ascii()).filter(|entry| !entry.is_empty()).map_while(named);
        addresses.find(|address| !self.trusts(*address)).unwrap_or(peer)
    }
}

fn network(given: &str) -> Result<IpNet, String> {
    let text = given.trim();
    let single = text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
    let wrong = |_| format!("`{given}` is no address or network of proxies: write them as in 10.0.0.0/8 or ::1");
    single.or_else(|_| text.parse::<IpNet>()).map_err(wrong)
}

/// An address, as proxies write it: some with a port, and those of IPv6 in brackets.
fn named(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?;
    let bare = text.parse::<IpAddr>().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let in_brackets = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    bare.or_else(with_port).or_else(in_brackets).map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn proxies(networks: &[&str]) -> Proxies {
        let networks: Vec<String> = networks.iter().map(|network| (*network).to_owned()).collect();
        Proxies::new(&networks).expect("networks")
    }

    /// Who sends a request by this peer, with these lines of the header, where 10.0.0.0/8 and ::1 are trusted.
    fn caller(peer: &str, lines: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, HeaderValue::from_bytes(line.as_bytes()).expect("a line"));
        }
        proxies(&["10.0.0.0/8", "::1"]).caller(peer.parse().expect("an address"), &headers).to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed_who_sends_a_request() {
        for proxy in ["10.0.0.1", "10.255.0.1", "::ffff:10.0.0.1", "::1"] {
            assert_eq!(caller(proxy, &["198.51.100.7"]), "198.51.100.7", "{proxy}");
        }
        for stranger in ["11.0.0.1", "127.0.0.1", "2001:db8::1"] {
            assert_eq!(caller(stranger, &["198.51.100.7"]), stranger);
        }
        assert!(!Proxies::default().trusts(IpAddr::from([127, 0, 0, 1])));
    }

    #[test]
    fn what_a_guest_writes_into_the_header_counts_for_nothing() {
        for lines in [
            &["192.0.2.66, 198.51.100.7"][..],
            &["127.0.0.1,198.51.100.7"],
            &["10.0.0.9, ::1, 198.51.100.7, 10.2.3.4"],
            &["192.0.2.66", "198.51.100.7, 10.2.3.4", "10.9.9.9"],
            &["198.51.100.66, 192.0.2.66", "198.51.100.7"],
            &["unknown, \u{e4}\u{f6}", "\u{fc}, 198.51.100.7"],
        ] {
            assert_eq!(caller("10.0.0.1", lines), "198.51.100.7", "{lines:?}");
        }
    }

    #[test]
    fn addresses_are_read_as_proxies_write_them() {
        for (entry, address) in [
            ("198.51.100.7:4711", "198.51.100.7"),
            ("2001:db8::7", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("[2001:db8::7]:4711", "2001:db8::7"),
            ("::ffff:198.51.100.7", "198.51.100.7"),
            (" 198.51.100.7\t, ,", "198.51.100.7"),
        ] {
            assert_eq!(caller("10.0.0.1", &[entry]), address, "{entry}");
        }
    }

    #[test]
    fn what_is_no_address_is_not_looked_behind() {
        assert_eq!(caller("10.0.0.1", &[]), "10.0.0.1");
        for entry in ["", " , ", "unknown", "_hidden", "300.1.1.1", "198.51.100.7:99999", "[2001:db8::7", "198.51.100.7/32", "\u{e4}"] {
            assert_eq!(caller("10.0.0.1", &[entry]), "10.0.0.1", "{entry}");
        }
        assert_eq!(caller("10.0.0.1", &["198.51.100.7, unknown"]), "10.0.0.1");
        assert_eq!(caller("10.0.0.1", &["198.51.100.7", "unknown, 10.2.3.4"]), "10.0.0.1");
        assert_eq!(caller("10.0.0.1", &["10.2.3.4, ::1"]), "10.0.0.1");
    }

    #[test]
    fn proxies_are_named_by_address_or_network() {
        let named = proxies(&["192.0.2.1", " fd00::/8", "::ffff:192.0.2.2", "10.1.2.3/16"]);
        for trusted in ["192.0.2.1", "192.0.2.2", "fd12::1", "10.1.255.255"] {
            assert!(named.trusts(trusted.parse().expect("an address")), "{trusted}");
        }
        assert!(!named.trusts("10.2.0.0".parse().expect("an address")));
        for bad in ["", "*", "localhost", "10.0.0.0/33", "10.0.0.0/", "::/129", "10.0.0.1:80", "[::1]"] {
            assert!(Proxies::new(&[bad.to_owned()]).is_err(), "{bad}");
        }
    }
}
