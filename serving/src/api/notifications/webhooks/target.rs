//! Where webhooks may lead: out, and not back into the shop's own network. Whoever may name an address that the server calls could else have it
//! call what only the server reaches (server-side request forgery).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

pub const MAX_URL_CHARS: usize = 2048;

/// The address is one of the shop's own, or of nobody's.
#[derive(Debug, thiserror::Error)]
#[error("{0} is not an address of the public internet")]
pub struct NotPublic(String);

/// Why nothing is sent to this address; `None`: it may be tried. A name's addresses are looked at when it is called ([`PublicOnly`]).
pub fn fault(url: &str, private_too: bool) -> Option<String> {
    if url.chars().count() > MAX_URL_CHARS {
        return Some(format!("at most {MAX_URL_CHARS} characters are taken"));
    }
    let url = match Url::parse(url) {
        Ok(url) => url,
        Err(error) => return Some(format!("this is no URL: {error}")),
    };
    let is_secure = url.scheme() == "https" || (private_too && url.scheme() == "http");
    if !is_secure {
        return Some("a webhook is called by https".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Some("a URL with a user or a password is not taken: what is sent is signed".to_owned());
    }
    if url.fragment().is_some() {
        return Some("a URL that is called has no #fragment".to_owned());
    }
    check(&url, private_too).err().map(|error| error.to_string())
}

/// Of an address that is written as a number; names are passed.
pub fn check(url: &Url, private_too: bool) -> Result<(), NotPublic> {
    let host = url.host_str().unwrap_or_default();
    let number: Result<IpAddr, _> = host.trim_start_matches('[').trim_end_matches(']').parse();
    match number {
        Ok(address) if !private_too && !is_public(address) => Err(NotPublic(host.to_owned())),
        _ => Ok(()),
    }
}

/// Looks names up, and knows only addresses of the public internet. The client connects to what this gives it and asks nobody again: so a name
/// cannot mean one thing when it is looked at and another when it is called.
pub struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<_> = found.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(NotPublic(name.as_str().to_owned()).into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// By IANA's registries of special-purpose addresses.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = a == 0
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || (a == 100 && (64..128).contains(&b))
        || (a, b, c) == (192, 0, 0)
        || (a, b, c) == (192, 88, 99)
        || (a == 198 && (18..20).contains(&b))
        || a >= 240;
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    // Within 2000::/3, which is all that is given out; of it, not what stands for IPv4 (Teredo, 6to4) or for nothing (documentation, benchmarks).
    let is_given_out = a & 0xe000 == 0x2000;
    let is_special = (a == 0x2001 && (b < 0x200 || b == 0xdb8)) || a == 0x2002 || (a == 0x3fff && b < 0x1000);
    is_given_out && !is_special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_public_internet_are_public() {
        for public in ["1.1.1.1", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:4700:4700::1111", "2a00:1450:4001:80e::200e"] {
            assert!(is_public(public.parse().expect("an address")), "{public}");
        }
        let private = [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::7f00:1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
        ];
        for private in private {
            assert!(!is_public(private.parse().expect("an address")), "{private}");
        }
    }

    #[test]
    fn addresses_are_told_however_they_are_written() {
        assert_eq!(fault("https://hooks.example.com/orders?shop=1", false), None);
        for wrong in [
            "",
            "hooks.example.com",
            "http://hooks.example.com/",
            "ftp://hooks.example.com/",
            "https://me:secret@hooks.example.com/",
            "https://hooks.example.com/#a",
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0177.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://169.254.169.254/latest/meta-data",
        ] {
            assert!(fault(wrong, false).is_some(), "{wrong}");
        }
        assert_eq!(fault("http://127.0.0.1:9000/", true), None);
        assert!(fault(&format!("https://hooks.example.com/{}", "a".repeat(3000)), true).is_some());
    }

    #[tokio::test]
    async fn a_name_of_this_machine_is_not_known() {
        let looked_up = PublicOnly.resolve("localhost".parse().expect("a name")).await;
        assert!(looked_up.err().expect("refused").to_string().contains("localhost is not an address of the public internet"));
    }
}
