use doorward_keys::{ForeignForm, Pepper, foreign::Alphabet};

use super::*;

const KEY: &str = "Zk3tQw8Yb1Nf6Rr0Lm5Vx2Cc7Dd9Ee4A";

fn rules(format: Format) -> Rules {
    Rules {
        format,
        mapping: Mapping::default(),
        tenant: Some("acme".to_owned()),
        tenant_column: None,
        environment: "live".to_owned(),
        scopes: vec!["orders:read".to_owned()],
        expires_in_days: None,
        former: None,
        ours: KeyFormat {
            prefix: "ck".to_owned(),
            environments: vec!["live".to_owned()],
            pepper: Pepper::new(vec![7; 32]),
            previous_pepper: None,
        },
        foreign: ForeignForms::new(vec![ForeignForm {
            name: "old".to_owned(),
            prefix: String::new(),
            min_length: 32,
            max_length: 32,
            alphabet: Alphabet::Alphanumeric,
            former: Some(doorward_keys::foreign::FormerHash::Sha256),
            until: None,
            as_bearer: false,
        }]),
        now: Timestamp::from_unix(1_700_000_000),
    }
}

fn cells(pairs: &[(&str, &str)]) -> Cells {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

#[test]
fn a_key_becomes_its_digest_under_the_pepper_and_what_else_it_may_be_known_by() {
    let rules = rules(Format::Plain);
    let asked = rules.import(3, &cells(&[("key", KEY)])).unwrap();
    let pepper = rules.ours.pepper.as_ref();
    assert_eq!(asked.digest, Some(Digest::of(KEY, pepper).to_hex()));
    assert!(asked.other_digests.is_empty() && !asked.former_unknown);
    // SHA-256 of the key, as the former system kept it.
    let [former] = asked.former.as_slice() else {
        panic!("{} former digests", asked.former.len());
    };
    let plain = Digest::of(KEY, None).to_hex();
    assert_eq!((former.hash.as_str(), &former.value), ("sha256", &plain));
    assert_eq!(
        (asked.tenant.as_str(), asked.name.as_str()),
        ("acme", "imported, line 3")
    );
    assert_eq!(asked.scopes, ["orders:read"]);
}

#[test]
fn what_the_authorizer_would_not_take_is_a_fault_that_shows_no_key() {
    let rules = rules(Format::Csv);
    let own = format!("ck_live_{KEY}");
    for (pairs, says) in [
        (&[("key", "hunter2")][..], "fits no form"),
        (
            &[("key", own.as_str())],
            "begins as keys of this configuration",
        ),
        (&[("key", "")], "holds no key"),
        (&[("hash", "hunter2")], "--former-hash"),
        (&[("key", KEY), ("status", "revoked")], "it is revoked"),
        (&[("key", KEY), ("expires_at", "1700000000")], "has expired"),
        (
            &[("key", KEY), ("expires_at", "soon")],
            "seconds since 1970",
        ),
        (&[("key", KEY), ("expires_in_days", "x")], "number of days"),
        (&[("key", KEY), ("enabled", "perhaps")], "true or false"),
    ] {
        let fault = rules.import(1, &cells(pairs)).err().unwrap();
        assert!(fault.contains(says), "{fault}");
        assert!(
            !fault.contains(KEY) && !fault.contains("hunter2"),
            "{fault}"
        );
    }
    let nobody = Rules {
        tenant: None,
        ..rules
    };
    let fault = nobody.import(1, &cells(&[("key", KEY)])).err().unwrap();
    assert!(fault.contains("--tenant-column"), "{fault}");
}

#[test]
fn columns_and_their_values_mean_what_the_mapping_says() {
    let mapping = r#"
        [columns]
        tenant = "Customer"
        scopes = "rights"
        [tenants]
        "4711" = "acme"
        [scopes]
        admin = ["orders:read", "orders:write"]
        [plans]
        glvrsr = "gold"
    "#;
    let rules = Rules {
        mapping: toml::from_str(mapping).unwrap(),
        tenant: None,
        ..rules(Format::Aws)
    };
    let row = cells(&[
        ("key", KEY),
        ("customer", "4711"),
        ("rights", "admin orders:read,x"),
        ("usageplanids", "c7y23b,glvrsr"),
        ("enabled", "FALSE"),
        ("metadata.Team", "blue"),
    ]);
    let asked = rules.import(1, &row).unwrap();
    assert_eq!(asked.tenant, "acme");
    assert_eq!(asked.scopes, ["orders:read", "orders:write", "x"]);
    assert_eq!(asked.plan.as_deref(), Some("gold"));
    assert!(asked.disabled);
    assert_eq!(asked.metadata.get("Team").map(String::as_str), Some("blue"));
    // A usage plan that nobody maps is nothing here.
    let row = cells(&[("key", KEY), ("customer", "x"), ("usageplanids", "c7y23b")]);
    assert_eq!(rules.import(1, &row).unwrap().plan, None);
}

#[test]
fn lists_that_are_empty_differ_from_none_at_all_and_an_end_is_not_moved_out() {
    let rules = rules(Format::Doorward);
    let end = (rules.now.unix() + 3 * SECONDS_OF_DAY + 5).to_string();
    let row = cells(&[
        ("digest", "d"),
        ("routes", "none"),
        ("scopes", "none"),
        ("addresses", "10.0.0.0/8 192.0.2.1"),
        ("expires_at", &end),
    ]);
    let asked = rules.import(1, &row).unwrap();
    assert_eq!(asked.digest.as_deref(), Some("d"));
    assert_eq!((asked.routes, asked.scopes), (Some(vec![]), vec![]));
    assert_eq!(asked.addresses.unwrap().len(), 2);
    assert_eq!(asked.expires_in_days, Some(3));
    let row = cells(&[("digest", "d"), ("routes", "GET /orders/{id}; orders")]);
    let asked = rules.import(1, &row).unwrap();
    assert_eq!(asked.routes.unwrap(), ["GET /orders/{id}", "orders"]);
}

#[test]
fn a_hashed_tyk_names_keys_by_their_hashes() {
    let rules = Rules {
        former: Some(HashName::Sha256),
        ..rules(Format::Tyk)
    };
    let asked = rules.import(1, &cells(&[("key", "ab")])).unwrap();
    assert_eq!(asked.digest, None);
    assert_eq!(
        (
            asked.former[0].hash.as_str(),
            asked.former[0].value.as_str()
        ),
        ("sha256", "ab")
    );
}
