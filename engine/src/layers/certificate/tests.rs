//! What needs no certificate: names, patterns and serial numbers. Certificates of a tree of authorities are in
//! `tests/certificates/` of the workspace.

use super::{
    authority::Authority,
    config::CertificatesConfig,
    identity::{NameKind, Pattern, choose},
    parse::{Names, Serial},
};
use crate::config::{Config, ConfigEnv};

fn read(text: &str) -> Result<Config, String> {
    let env = ConfigEnv {
        read_file: &|_| Err("there are no files".to_owned()),
        secret: &|_| Err("there are no secrets".to_owned()),
    };
    Config::read(text, "doorward.toml", &env)
        .map(|checked| checked.config)
        .map_err(|faults| faults.to_string())
}

#[track_caller]
fn check_pattern(pattern: &str, kind: NameKind, name: &str, expected: bool) {
    let config = CertificatesConfig {
        identity: NameKind::ALL.to_vec(),
        authorities: Vec::<Authority>::new(),
        clients: vec![super::identity::AcceptedClient {
            pattern: Pattern::parse(pattern).unwrap(),
            authority: None,
            tenant: None,
            scopes: None,
        }],
        crl_refresh: 60,
        crl_stale: 0,
    };
    let mut names = Names::default();
    match kind {
        NameKind::Uri => names.uris.push(name.to_owned()),
        NameKind::Dns => names.dns.push(name.to_owned()),
        NameKind::Email => names.emails.push(name.to_owned()),
        NameKind::CommonName => names.common.push(Some(name.to_owned())),
    }
    let found = choose(&config, &names, "ca").is_ok();
    assert_eq!(found, expected, "{pattern} {kind:?} {name}");
}

#[test]
fn a_wildcard_stands_for_one_whole_part() {
    use NameKind::{CommonName, Dns, Email, Uri};
    for (pattern, kind, name, expected) in [
        ("dns:*.example.com", Dns, "a.example.com", true),
        ("dns:*.example.com", Dns, "A.Example.COM", true),
        ("dns:*.example.com", Dns, "a.b.example.com", false),
        ("dns:*.example.com", Dns, "example.com", false),
        ("dns:*.example.com", Dns, ".example.com", false),
        ("dns:*.example.com", Dns, "aexample.com", false),
        ("dns:a.example.com", Dns, "a.example.com.evil.com", false),
        ("email:*@example.com", Email, "ops@example.com", true),
        ("email:*@example.com", Email, "ops@EXAMPLE.com", true),
        ("email:*@example.com", Email, "a@b@example.com", false),
        ("email:Ops@example.com", Email, "ops@example.com", false),
        ("uri:spiffe://acme/ns/*", Uri, "spiffe://acme/ns/web", true),
        ("uri:spiffe://acme/ns/*", Uri, "spiffe://acme/ns/a/b", false),
        ("uri:spiffe://acme/ns/*", Uri, "spiffe://acme/ns/a?b", false),
        ("uri:spiffe://acme/ns/*", Uri, "spiffe://evil/ns/web", false),
        ("cn:orders", CommonName, "orders", true),
        ("cn:orders", CommonName, "Orders", false),
        ("cn:Ærø", CommonName, "Ærø", true),
        // Looks the same, and is another: the letter and a combining mark.
        ("cn:\u{e9}t\u{e9}", CommonName, "e\u{301}te\u{301}", false),
    ] {
        check_pattern(pattern, kind, name, expected);
    }
}

#[test]
fn kinds_of_names_are_never_mixed() {
    for (pattern, kind) in [
        ("cn:a.example.com", NameKind::Dns),
        ("dns:a.example.com", NameKind::CommonName),
        ("uri:a.example.com", NameKind::Dns),
        ("email:a.example.com", NameKind::Dns),
    ] {
        check_pattern(pattern, kind, "a.example.com", false);
    }
}

#[test]
fn refuses_patterns_that_say_too_much() {
    for text in [
        "example.com",
        "ip:127.0.0.1",
        "dns:",
        "dns:*",
        "dns:*.",
        "dns:a*.example.com",
        "dns:*a.example.com",
        "dns:a.*.example.com",
        "dns:*.*.example.com",
        "dns:exämple.com",
        "email:*",
        "email:a*@example.com",
        "email:a@*",
        "uri:*",
        "uri:spiffe://*",
        "uri:spiffe://acme*",
        "uri:spiffe://*/a",
        "uri:spiffe://acme/*/b",
        "uri:spiffe://acme/a*",
        "uri:spiffe:///*",
        "cn:*",
        "cn:a*",
    ] {
        assert!(Pattern::parse(text).is_err(), "{text}");
    }
    assert!(Pattern::parse("uri:spiffe://acme/*").is_ok());
}

#[test]
fn serial_numbers_are_compared_as_numbers() {
    assert_eq!(Serial::of(&[0, 0, 1, 2]), Serial::of(&[1, 2]));
    assert_ne!(Serial::of(&[1, 2, 0]), Serial::of(&[1, 2]));
    assert_eq!(Serial::of(&[0, 0xab, 1]).to_string(), "ab:01");
    assert_eq!(Serial::of(&[0]).to_string(), "00");
}

#[test]
fn a_common_name_counts_only_where_there_is_no_other_name() {
    let config = |identity: &[NameKind]| CertificatesConfig {
        identity: identity.to_vec(),
        authorities: Vec::new(),
        clients: Vec::new(),
        crl_refresh: 60,
        crl_stale: 0,
    };
    let names = |dns: &[&str], alternative, common: &[Option<&str>]| Names {
        dns: dns.iter().map(|name| (*name).to_owned()).collect(),
        common: common.iter().map(|name| name.map(str::to_owned)).collect(),
        alternative,
        ..Names::default()
    };
    let found = |config: &CertificatesConfig, names: &Names| {
        choose(config, names, "ca").map_or_else(
            |denial| denial.reason().as_str().to_owned(),
            |found| found.identity.to_string(),
        )
    };
    let all = config(&NameKind::ALL);
    let of_cn = config(&[NameKind::CommonName]);
    for (config, names, expected) in [
        (&all, names(&["a.b"], true, &[Some("c")]), "dns:a.b"),
        (&all, names(&[], false, &[Some("c")]), "cn:c"),
        // An address among the alternative names, and nothing else.
        (&all, names(&[], true, &[Some("c")]), "certificate_unknown"),
        (
            &of_cn,
            names(&["a.b"], true, &[Some("c")]),
            "certificate_unknown",
        ),
        (&all, names(&[], false, &[]), "certificate_unknown"),
        (&all, names(&[], false, &[None]), "certificate_unknown"),
        (
            &all,
            names(&[], false, &[Some("c"), Some("d")]),
            "certificate_ambiguous",
        ),
        (
            &all,
            names(&[], false, &[Some("c"), Some("c")]),
            "certificate_ambiguous",
        ),
        (
            &all,
            names(&["a.b", "c.d"], true, &[]),
            "certificate_ambiguous",
        ),
        (&all, names(&["a.b", "A.B"], true, &[]), "dns:a.b"),
        (&all, names(&["*.b"], true, &[]), "certificate_unknown"),
        (
            &all,
            names(&["a.b", "*.b"], true, &[]),
            "certificate_unknown",
        ),
    ] {
        assert_eq!(found(config, &names), expected, "{names:?}");
    }
}

#[test]
fn names_every_fault_of_the_configuration_at_once() {
    let faults = read(
        r#"
        [certificates]
        crl_refresh_seconds = 1
        [certificates.authorities.ca]
        certificate = "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----"
        crl = "https://example.com/crl"
        revoked_serials = ["1:2", "xyz", "", "0a:1B", "fe"]
        [[certificates.clients]]
        identity = "dns:*"
        authority = "cA"
        "#,
    )
    .unwrap_err();
    for expected in [
        "certificates.crl_refresh_seconds",
        "certificates.authorities.ca.certificate",
        "certificates.authorities.ca.crl",
        "certificates.authorities.ca.revoked_serials[0]",
        "certificates.authorities.ca.revoked_serials[1]",
        "certificates.authorities.ca.revoked_serials[2]",
        "certificates.clients[0].identity",
        "did you mean `ca`",
    ] {
        assert!(faults.contains(expected), "{expected} in {faults}");
    }
    assert!(!faults.contains("revoked_serials[3]"), "{faults}");
}
