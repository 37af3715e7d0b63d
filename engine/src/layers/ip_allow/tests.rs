use super::*;
use crate::test_support::request;

fn set(ranges: &[&str]) -> AddressSet {
    ranges.iter().map(|range| range.parse().unwrap()).collect()
}

/// The word for what `admit` says: the address, or the reason.
fn admitted(config: &AddressesConfig, peer: Option<&str>, forwarded: &[&str]) -> String {
    let lines: Vec<(&str, &str)> = forwarded
        .iter()
        .map(|line| ("X-Forwarded-For", *line))
        .collect();
    let mut request = request(&lines);
    request.peer = peer.map(|peer| peer.parse().unwrap());
    match admit(&request, config) {
        Ok(admitted) => admitted
            .address()
            .map_or("none".to_owned(), |address| address.to_string()),
        Err(denial) => denial.reason().as_str().to_owned(),
    }
}

fn rules(allow: Option<&[&str]>, deny: &[&str]) -> AddressesConfig {
    AddressesConfig {
        forwarding: Forwarding::Peer,
        rules: AddressRules {
            allow: allow.map(set),
            deny: set(deny),
        },
    }
}

fn behind(proxies: &[&str]) -> AddressesConfig {
    let forwarding = Forwarding::TrustedRanges {
        header: "x-forwarded-for".to_owned(),
        proxies: set(proxies),
    };
    AddressesConfig {
        forwarding,
        ..AddressesConfig::default()
    }
}

fn hops(hops: usize) -> AddressesConfig {
    let forwarding = Forwarding::TrustedHops {
        header: "x-forwarded-for".to_owned(),
        hops,
    };
    AddressesConfig {
        forwarding,
        ..AddressesConfig::default()
    }
}

#[test]
fn refuses_whoever_is_not_listed_or_is_denied() {
    let cases = vec![
        ("no rules", rules(None, &[]), "192.0.2.1", "192.0.2.1"),
        (
            "listed",
            rules(Some(&["192.0.2.0/24"]), &[]),
            "192.0.2.1",
            "192.0.2.1",
        ),
        (
            "not listed",
            rules(Some(&["192.0.2.0/24"]), &[]),
            "192.0.3.1",
            "address_refused",
        ),
        (
            "deny beats allow",
            rules(Some(&["192.0.2.0/24"]), &["192.0.2.1/32"]),
            "192.0.2.1",
            "address_refused",
        ),
        (
            "empty list admits nobody",
            rules(Some(&[]), &[]),
            "192.0.2.1",
            "address_refused",
        ),
        (
            "v6",
            rules(Some(&["2001:db8::/32"]), &[]),
            "2001:db8::1",
            "2001:db8::1",
        ),
        (
            "v6 not listed",
            rules(Some(&["2001:db8::/32"]), &[]),
            "2001:db9::1",
            "address_refused",
        ),
        (
            "mapped equals v4",
            rules(Some(&["192.0.2.0/24"]), &[]),
            "::ffff:192.0.2.1",
            "192.0.2.1",
        ),
        (
            "mapped denied by v4",
            rules(None, &["192.0.2.0/24"]),
            "::ffff:192.0.2.1",
            "address_refused",
        ),
        (
            "v4 denied by mapped range",
            rules(None, &["::ffff:192.0.2.0/120"]),
            "192.0.2.1",
            "address_refused",
        ),
        (
            "mapped denied by a range around all mapped ones",
            rules(None, &["::fffe:0:0/95"]),
            "::ffff:192.0.2.1",
            "address_refused",
        ),
        (
            "v4 denied by a range around all mapped ones",
            rules(None, &["::/64"]),
            "192.0.2.1",
            "address_refused",
        ),
        (
            "v6 never in a v4 range",
            rules(Some(&["0.0.0.0/0"]), &[]),
            "2001:db8::1",
            "address_refused",
        ),
    ];
    for (name, config, peer, expected) in cases {
        assert_eq!(admitted(&config, Some(peer), &[]), expected, "{name}");
    }
}

#[test]
fn refuses_an_event_without_address_where_a_rule_applies() {
    assert_eq!(
        admitted(&rules(Some(&["192.0.2.0/24"]), &[]), None, &[]),
        "address_unknown"
    );
    assert_eq!(
        admitted(&rules(None, &["192.0.2.0/24"]), None, &[]),
        "address_unknown"
    );
    assert_eq!(admitted(&rules(None, &[]), None, &[]), "none");
    assert_eq!(
        admitted(&behind(&["10.0.0.0/8"]), None, &["192.0.2.1"]),
        "address_unknown"
    );
}

#[test]
fn ignores_forwarding_headers_of_strangers() {
    assert_eq!(
        admitted(&rules(None, &[]), Some("198.51.100.7"), &["192.0.2.1"]),
        "198.51.100.7"
    );
    assert_eq!(
        admitted(
            &behind(&["10.0.0.0/8"]),
            Some("198.51.100.7"),
            &["192.0.2.1"]
        ),
        "198.51.100.7"
    );
}

#[test]
fn walks_from_the_right_and_never_past_what_it_cannot_read() {
    let cases: [(&str, &[&str], &str); 12] = [
        ("one", &["192.0.2.1"], "192.0.2.1"),
        ("forged left entry", &["1.1.1.1, 192.0.2.1"], "192.0.2.1"),
        (
            "proxies skipped",
            &["192.0.2.1, 10.2.2.2, 10.3.3.3"],
            "192.0.2.1",
        ),
        (
            "lines joined in order",
            &["192.0.2.1", "10.2.2.2"],
            "192.0.2.1",
        ),
        ("with port", &["192.0.2.1:4711"], "192.0.2.1"),
        ("brackets", &["[2001:db8::1]"], "2001:db8::1"),
        ("brackets and port", &["[2001:db8::1]:443"], "2001:db8::1"),
        (
            "garbage at the right",
            &["192.0.2.1, unknown"],
            "address_unknown",
        ),
        ("empty entry", &["192.0.2.1,"], "address_unknown"),
        ("unspecified", &["0.0.0.0"], "address_unknown"),
        ("only proxies", &["10.2.2.2"], "address_unknown"),
        ("no header", &[], "address_unknown"),
    ];
    for (name, lines, expected) in cases {
        assert_eq!(
            admitted(&behind(&["10.0.0.0/8"]), Some("10.1.1.1"), lines),
            expected,
            "{name}"
        );
    }
}

#[test]
fn refuses_unusual_spellings_of_addresses() {
    for text in [
        "192.0.2.01",
        "192.0.2",
        "0xc0.0.2.1",
        "3221225985",
        "fe80::1%eth0",
        "[fe80::1%1]:80",
        "192.0.2.1/24",
        "2001:db8::1:4711:x",
    ] {
        assert_eq!(
            admitted(&hops(1), Some("10.1.1.1"), &[text]),
            "address_unknown",
            "{text}"
        );
    }
}

#[test]
fn takes_exactly_the_configured_hop() {
    assert_eq!(
        admitted(&hops(1), Some("10.1.1.1"), &["1.1.1.1, 192.0.2.1"]),
        "192.0.2.1"
    );
    assert_eq!(
        admitted(&hops(2), Some("10.1.1.1"), &["1.1.1.1, 192.0.2.1"]),
        "1.1.1.1"
    );
    assert_eq!(
        admitted(&hops(3), Some("10.1.1.1"), &["1.1.1.1, 192.0.2.1"]),
        "address_unknown"
    );
    assert_eq!(admitted(&hops(1), Some("10.1.1.1"), &[]), "address_unknown");
}

#[test]
fn refuses_a_forwarding_chain_without_end() {
    let chain = vec!["10.9.9.9"; 33].join(",");
    assert_eq!(
        admitted(&behind(&["10.0.0.0/8"]), Some("10.1.1.1"), &[&chain]),
        "address_unknown"
    );
}

#[test]
fn finds_an_address_among_ten_thousand_ranges() {
    let ranges: AddressSet = (0..10_000_u32)
        .map(|n| format!("10.{}.{}.0/24", n / 256, n % 256).parse().unwrap())
        .collect();
    assert_eq!(ranges.len(), 10_000);
    assert!(ranges.contains("10.39.15.200".parse().unwrap()));
    assert!(!ranges.contains("10.39.16.1".parse().unwrap()));
}
