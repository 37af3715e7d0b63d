//! Which addresses may be fetched.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use doorward_engine::layers::jwt::{FetchError, Origin};
use reqwest::Url;

/// Reads an address that may be fetched.
pub(super) fn check(text: &str, origin: Origin) -> Result<Url, FetchError> {
    let Ok(url) = Url::parse(text) else {
        let printable: String = text
            .chars()
            .map(|c| if matches!(c, ' '..='~') { c } else { '?' })
            .take(200)
            .collect();
        return Err(FetchError::Forbidden(printable, "it is not an address"));
    };
    let why = match (url.scheme(), origin) {
        _ if !url.username().is_empty() || url.password().is_some() => Some("it holds user data"),
        ("https", Origin::Public) if url.domain().is_none() => {
            Some("it names an IP address in place of a host")
        }
        ("https", _) | ("http", Origin::Anywhere) => None,
        ("http", Origin::Public) => Some("it is not https"),
        _ => Some("its scheme is neither https nor http"),
    };
    match why {
        None => Ok(url),
        Some(why) => Err(FetchError::Forbidden(without_user_data(url), why)),
    }
}

/// A password must not end in a log.
fn without_user_data(mut url: Url) -> String {
    let cleared = url.set_username("").is_ok() && url.set_password(None).is_ok();
    if cleared {
        url.to_string()
    } else {
        url.scheme().to_owned()
    }
}

/// Whether an address belongs to the public internet (IANA special-purpose registries, RFC 6890). Addresses that carry
/// an IPv4 address are judged by it.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_loopback()
        || address.is_private()
        // 169.254.0.0/16: the metadata service, container credentials, the Lambda runtime.
        || address.is_link_local()
        || address.is_documentation()
        // "This network", shared space between carriers (RFC 6598), protocol assignments, benchmarks (RFC 2544).
        || a == 0
        || (a == 100 && b & 0xc0 == 64)
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && b & 0xfe == 18)
        // Old 6to4 relays (RFC 7526), multicast, reserved and broadcast.
        || (a == 192 && b == 88 && c == 99)
        || a >= 224)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [s0, s1, s2, s3, s4, s5, s6, s7] = address.segments();
    let embedded = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match (s0, s1) {
        // ::/96 and ::ffff:0:0/96: unspecified, loopback, IPv4-compatible and IPv4-mapped (RFC 4291 section 2.5.5).
        (0, 0) if s2 == 0 && s3 == 0 && s4 == 0 => s5 == 0xffff && embedded(s6, s7),
        // NAT64 (RFC 6052): what DNS64 gives for a public IPv4 address.
        (0x64, 0xff9b) if s2 == 0 && s3 == 0 && s4 == 0 && s5 == 0 => embedded(s6, s7),
        // 6to4 (RFC 3056).
        (0x2002, _) => embedded(s1, s2),
        // Teredo, ORCHID and other protocol assignments, documentation.
        (0x2001, assigned) if assigned < 0x200 => false,
        (0x2001, 0x0db8) | (0x3fff, 0..=0x0fff) => false,
        // Global unicast is 2000::/3 and nothing else: unique local (fd00:ec2::254 is the metadata service), link-local,
        // site-local and multicast lie outside.
        _ => s0 & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_addresses_inside() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "169.254.170.2",
            "169.254.100.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::8.8.8.8",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:10.0.0.1",
            "64:ff9b::169.254.169.254",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::8.8.8.8",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::",
            "2001::1",
            "2001:db8::1",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "100::1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn takes_addresses_outside() {
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.0.1",
            "100.128.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.254",
            "2600::1",
            "2001:4860:4860::8888",
            "2a00::1",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2002:808:808::",
        ] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn refuses_addresses_by_their_text() {
        for text in [
            "http://issuer.example/keys",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://8.8.8.8/",
            "https://user@issuer.example/",
            "https://user:pass@issuer.example/",
            "https://:pass@issuer.example/",
            "ftp://issuer.example/",
            "file:///etc/passwd",
            "data:application/json,{}",
            "issuer.example",
            "",
            "https://",
        ] {
            let error = check(text, Origin::Public).unwrap_err();
            assert!(matches!(error, FetchError::Forbidden(..)), "{text}");
            assert!(!error.to_string().contains("pass@"), "{error}");
        }
        assert!(check("https://issuer.example:8443/keys?x=1", Origin::Public).is_ok());
    }

    #[test]
    fn takes_http_and_numbers_only_where_anything_goes() {
        for text in [
            "http://127.0.0.1:1/keys",
            "http://localhost/",
            "https://[::1]/",
        ] {
            assert!(check(text, Origin::Anywhere).is_ok(), "{text}");
        }
        for text in [
            "ftp://127.0.0.1/",
            "http://user@127.0.0.1/",
            "file:///etc/passwd",
        ] {
            assert!(check(text, Origin::Anywhere).is_err(), "{text}");
        }
    }
}
