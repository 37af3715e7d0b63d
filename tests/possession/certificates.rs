//! Certificates of a tree of authorities, accepted and refused, for every kind of API that can ask for one.

use doorward_keys::Timestamp;
use doorward_tests::certificates::{Authority, Client};
use serde_json::{Value, json};

use crate::gate::{Gate, Kind, NOW, get, token};

const AT: Timestamp = Timestamp::from_unix(NOW);

/// `partners` and `staff` under one root; only these two are in the configuration.
struct Tree {
    root: Authority,
    partners: Authority,
    staff: Authority,
    /// Has the name of `partners` and another key.
    impostor: Authority,
}

impl Tree {
    fn grown() -> Self {
        let root = Authority::new("root", AT);
        Self {
            partners: root.below("partners", AT),
            staff: root.below("staff", AT),
            impostor: Authority::new("partners", AT),
            root,
        }
    }

    fn configuration(&self) -> Value {
        json!({
            "certificates": {
                "authorities": {
                    "partners": {"certificate": self.partners.pem, "revoked_serials": ["00:0A:bc"]},
                    "staff": {"certificate": self.staff.pem},
                },
                "clients": [
                    {"identity": "dns:*.partners.example", "authority": "partners", "tenant": "acme", "scopes": ["read"]},
                    {"identity": "uri:spiffe://acme.example/ns/*"},
                    {"identity": "email:*@staff.example", "authority": "staff"},
                    {"identity": "cn:plain"},
                    {"identity": "cn:Ærø \u{4f60}"},
                ],
            },
            "policy": {"gateway_cache": "off"},
            "routes": [
                {"route": "GET /alone", "credentials": ["certificate"]},
                {"route": "GET /read", "credentials": ["certificate"], "scopes": ["read"]},
                {"route": "GET /both", "credentials": ["certificate + jwt"]},
                {"route": "GET /either", "credentials": ["jwt", "certificate"]},
                {"route": "GET /token", "credentials": ["jwt"]},
                {"route": "GET /open", "credentials": ["anonymous"]},
            ],
        })
    }
}

/// Each certificate with what becomes of it.
#[expect(clippy::too_many_lines, reason = "a table")]
fn cases(tree: &Tree) -> Vec<(&'static str, String, &'static str)> {
    let partner = || Client::named("dns:a.partners.example", AT);
    let plain = || Client::new("plain", AT);
    let issue = |client: &Client| tree.partners.issue(client);
    vec![
        ("good, DNS", issue(&partner()), "allow"),
        (
            "good, URI",
            issue(&Client::named("uri:spiffe://acme.example/ns/web", AT)),
            "allow",
        ),
        (
            "good, e-mail",
            tree.staff
                .issue(&Client::named("email:ops@staff.example", AT)),
            "allow",
        ),
        ("good, common name", issue(&plain()), "allow"),
        (
            "good, Unicode",
            issue(&Client::new("Ærø \u{4f60}", AT)),
            "allow",
        ),
        (
            "good, letter case",
            issue(&Client::named("dns:A.Partners.Example", AT)),
            "allow",
        ),
        (
            "good, unknown extension",
            issue(&plain().with_extension(false)),
            "allow",
        ),
        (
            "good to this second",
            issue(&partner().between(AT.plus(-10), AT)),
            "allow",
        ),
        (
            "good from this second",
            issue(&partner().between(AT, AT.plus(10))),
            "allow",
        ),
        (
            "expired",
            issue(&partner().between(AT.plus(-10), AT.plus(-1))),
            "certificate_expired",
        ),
        (
            "not yet valid",
            issue(&partner().between(AT.plus(1), AT.plus(10))),
            "certificate_not_yet_valid",
        ),
        (
            "revoked by serial number, written otherwise",
            issue(&partner().serial(&[0x0a, 0xbc])),
            "certificate_revoked",
        ),
        (
            "of the other authority, with a revoked number",
            tree.staff.issue(&plain().serial(&[0x0a, 0xbc])),
            "allow",
        ),
        (
            "of the root itself",
            tree.root.issue(&partner()),
            "certificate_issuer",
        ),
        (
            "of another with that name",
            tree.impostor.issue(&partner()),
            "certificate_issuer",
        ),
        (
            "of the wrong authority for the name",
            tree.staff.issue(&partner()),
            "certificate_unknown",
        ),
        (
            "two common names",
            issue(&plain().with_common_name("plain")),
            "certificate_ambiguous",
        ),
        (
            "two names of one kind",
            issue(&partner().with("dns:b.partners.example")),
            "certificate_ambiguous",
        ),
        (
            "two names, one of them known",
            issue(&partner().with("dns:elsewhere.example")),
            "allow",
        ),
        (
            "a wildcard for a name",
            issue(&Client::named("dns:*.partners.example", AT)),
            "certificate_unknown",
        ),
        (
            "two labels for one",
            issue(&Client::named("dns:a.b.partners.example", AT)),
            "certificate_unknown",
        ),
        (
            "a known common name beside another name",
            issue(&plain().with("ip:192.0.2.1")),
            "certificate_unknown",
        ),
        (
            "a URI decides before a DNS name",
            issue(&partner().with("uri:spiffe://evil.example/ns/web")),
            "certificate_unknown",
        ),
        (
            "looks like a known name",
            issue(&Client::new("pl\u{430}in", AT)),
            "certificate_unknown",
        ),
        (
            "a zero byte in a name",
            issue(&Client::new("plain\0.evil", AT)),
            "certificate_unknown",
        ),
        (
            "for servers",
            issue(&partner().for_servers()),
            "certificate_malformed",
        ),
        (
            "a critical extension",
            issue(&plain().with_extension(true)),
            "certificate_malformed",
        ),
        (
            "no certificate",
            "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----".to_owned(),
            "certificate_malformed",
        ),
        ("no PEM", "certificate".to_owned(), "certificate_malformed"),
        (
            "two at once",
            format!("{}{}", issue(&partner()), issue(&plain())),
            "certificate_malformed",
        ),
        (
            "longer than any",
            format!("{}{}", "A".repeat(40_000), issue(&plain())),
            "certificate_malformed",
        ),
    ]
}

#[tokio::test]
async fn every_certificate_is_accepted_or_refused_as_its_authority_times_and_names_say() {
    let tree = Tree::grown();
    let gate = Gate::new(&tree.configuration());
    for (name, pem, expected) in cases(&tree) {
        for kind in Kind::ALL {
            let found = gate.outcome(&get(kind, "/alone").shows(&pem)).await;
            assert_eq!(found, expected, "{name}, {kind:?}: {}", gate.line());
        }
    }
}

#[tokio::test]
async fn a_certificate_with_one_bit_changed_is_refused() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let tree = Tree::grown();
    let gate = Gate::new(&tree.configuration());
    let pem = tree
        .partners
        .issue(&Client::named("dns:a.partners.example", AT));
    let inner: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = STANDARD.decode(inner).unwrap();
    for at in (0..der.len()).step_by(7) {
        let mut changed = der.clone();
        changed[at] ^= 1;
        let text = STANDARD.encode(&changed);
        let pem = format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----");
        let found = gate.outcome(&get(Kind::Rest, "/alone").shows(&pem)).await;
        assert_ne!(found, "allow", "byte {at}");
    }
}

#[tokio::test]
async fn a_route_gets_the_certificates_that_it_asks_for() {
    let tree = Tree::grown();
    let gate = Gate::new(&tree.configuration());
    let good = tree
        .partners
        .issue(&Client::named("dns:a.partners.example", AT));
    let poor = tree.partners.issue(&Client::new("plain", AT));
    let bad = tree.root.issue(&Client::new("plain", AT));
    let bearer = format!("Bearer {}", token(None));
    for kind in Kind::ALL {
        let with = |path: &str, pem: &str| get(kind, path).shows(pem);
        let both = |path: &str, pem: &str| with(path, pem).header("authorization", &bearer);
        let tokened = |path: &str| get(kind, path).header("authorization", &bearer);
        for (asked, expected) in [
            (get(kind, "/alone"), "credential_missing"),
            (tokened("/alone"), "credential_insufficient"),
            (with("/read", &good), "allow"),
            (with("/read", &poor), "scope_missing"),
            (both("/both", &good), "allow"),
            (with("/both", &good), "credential_missing"),
            (tokened("/both"), "credential_insufficient"),
            (both("/both", &bad), "certificate_issuer"),
            (tokened("/either"), "allow"),
            (with("/either", &good), "allow"),
            (both("/either", &good), "allow"),
            // After a rejection nothing else is tried.
            (both("/either", &bad), "certificate_issuer"),
            // A certificate is in nobody's way where it is not asked for.
            (both("/token", &bad), "allow"),
            (with("/open", &bad), "allow"),
            (with("/token", &good), "credential_missing"),
        ] {
            assert_eq!(
                gate.outcome(&asked).await,
                expected,
                "{asked:?} {}",
                gate.line()
            );
        }
    }
}

#[tokio::test]
async fn a_certificate_in_a_header_is_nobodys() {
    let tree = Tree::grown();
    let gate = Gate::new(&tree.configuration());
    let pem = tree
        .partners
        .issue(&Client::new("plain", AT))
        .replace('\n', "");
    for name in [
        "x-forwarded-client-cert",
        "x-amzn-mtls-clientcert",
        "client-cert",
    ] {
        for kind in Kind::ALL {
            let asked = get(kind, "/alone").header(name, &pem);
            assert_eq!(gate.outcome(&asked).await, "credential_missing");
        }
    }
}

#[tokio::test]
async fn the_default_endpoint_is_refused_where_a_certificate_is_demanded() {
    let tree = Tree::grown();
    let gate = Gate::new(&tree.configuration());
    let pem = tree.partners.issue(&Client::new("plain", AT));
    let bearer = format!("Bearer {}", token(None));
    for domain in [
        "a1b2c3.execute-api.eu-west-1.amazonaws.com",
        "A1B2C3.Execute-Api.cn-north-1.amazonaws.com.cn",
    ] {
        for kind in Kind::ALL {
            for (path, expected) in [
                ("/alone", "default_endpoint"),
                ("/both", "default_endpoint"),
                ("/token", "allow"),
                ("/either", "allow"),
            ] {
                let asked = get(kind, path).at(domain).header("authorization", &bearer);
                let asked = if path == "/token" {
                    asked
                } else {
                    asked.shows(&pem)
                };
                assert_eq!(gate.outcome(&asked).await, expected, "{path} {domain}");
            }
        }
    }
}

#[tokio::test]
async fn backend_and_log_learn_who_it_is_from_the_certificate_alone() {
    let tree = Tree::grown();
    let gate = Gate::new(&tree.configuration());
    let client = Client::named("dns:a.partners.example", AT).serial(&[0x7f, 1]);
    let pem = tree.partners.issue(&client);
    for kind in Kind::ALL {
        let answer = gate
            .ask_at(&get(kind, "/alone").shows(&pem), NOW)
            .await
            .unwrap();
        assert_eq!(
            answer["principalId"],
            "certificate|partners|dns:a.partners.example"
        );
        let context = &answer["context"];
        for (name, value) in [
            ("credential", "certificate"),
            ("certificate", "dns:a.partners.example"),
            ("certificateAuthority", "partners"),
            ("certificateSerial", "7f:01"),
            ("subject", "a.partners.example"),
            ("tenant", "acme"),
            ("scopes", "read"),
        ] {
            assert_eq!(context[name], value, "{answer}");
        }
        let line = gate.line();
        assert_eq!(line["certificate"], "`CN=somebody`", "{line}");
        assert_eq!(line["certificateSerial"], "7f:01", "{line}");
        assert!(!line.to_string().contains("BEGIN CERTIFICATE"), "{line}");
    }
}

#[tokio::test]
async fn a_renewed_authority_takes_over_from_the_one_before() {
    let authority = Authority::new("partners", AT);
    let pem = authority.issue(&Client::new("a", AT));
    let past = authority.renewed("partners", AT.plus(-900), AT.plus(-1));
    let coming = authority.renewed("partners", AT.plus(600), AT.plus(900));
    // The order in which they stand says nothing.
    for (one, other, expected) in [
        (&past, &authority.pem, "allow"),
        (&authority.pem, &past, "allow"),
        (&authority.pem, &coming, "allow"),
        (&coming, &past, "certificate_issuer"),
    ] {
        let gate = Gate::new(&json!({
            "certificates": {"authorities": {"a": {"certificate": one}, "b": {"certificate": other}}},
            "policy": {"gateway_cache": "off"},
            "routes": [{"route": "GET /alone", "credentials": ["certificate"]}],
        }));
        let found = gate.outcome(&get(Kind::Http2, "/alone").shows(&pem)).await;
        assert_eq!(found, expected, "{}", gate.line());
    }
}
