//! Lists of revoked certificates: read, refused, read again.

use std::sync::atomic::Ordering;

use doorward_keys::Timestamp;
use doorward_tests::certificates::{Authority, Client, List};
use serde_json::{Value, json};

use crate::gate::{Gate, Kind, NOW, get};

const AT: Timestamp = Timestamp::from_unix(NOW);
const PLACE: &str = "s3://lists/partners.crl";

fn configuration(authority: &Authority) -> Value {
    json!({
        "certificates": {
            "authorities": {"partners": {"certificate": authority.pem, "crl": PLACE}},
            "crl_refresh_seconds": 600, "crl_stale_seconds": 100,
        },
        "policy": {"gateway_cache": "off"},
        "routes": [{"route": "GET /alone", "credentials": ["certificate"]}],
    })
}

fn list(serials: &[&[u8]]) -> List {
    List {
        times: (AT.plus(-60), AT.plus(1000)),
        serials: serials.iter().map(|serial| serial.to_vec()).collect(),
        part: None,
    }
}

struct World {
    authority: Authority,
    gate: Gate,
}

impl World {
    fn new() -> Self {
        let authority = Authority::new("partners", AT);
        let gate = Gate::new(&configuration(&authority));
        Self { authority, gate }
    }

    fn publish(&self, list: &List) {
        self.gate.crls.put(PLACE, self.authority.crl(list));
    }

    async fn outcome(&self, serial: &[u8], later: i64) -> String {
        let client = Client::new("a", AT).between(AT.plus(-10), AT.plus(50_000));
        let pem = self.authority.issue(&client.serial(serial));
        let asked = get(Kind::Http2, "/alone").shows(&pem);
        self.gate.outcome_at(&asked, NOW + later).await
    }
}

#[tokio::test]
async fn a_number_on_the_list_is_refused_and_others_pass() {
    let world = World::new();
    world.publish(&list(&[&[5], &[0x0a, 0xbc]]));
    for (serial, expected) in [
        (&[5][..], "certificate_revoked"),
        (&[0x0a, 0xbc], "certificate_revoked"),
        (&[0x0a], "allow"),
        (&[0x0a, 0xbc, 0], "allow"),
    ] {
        assert_eq!(world.outcome(serial, 0).await, expected, "{serial:?}");
    }
}

#[tokio::test]
async fn a_list_in_pem_is_read_too() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let world = World::new();
    let text = STANDARD.encode(world.authority.crl(&list(&[&[5]])));
    let pem = format!("-----BEGIN X509 CRL-----\n{text}\n-----END X509 CRL-----\n");
    world.gate.crls.put(PLACE, pem.into_bytes());
    assert_eq!(world.outcome(&[5], 0).await, "certificate_revoked");
    assert_eq!(world.outcome(&[6], 0).await, "allow");
}

#[tokio::test]
async fn a_list_that_cannot_be_had_or_trusted_refuses_everybody() {
    let stranger = Authority::new("partners", AT);
    let other = Authority::new("others", AT);
    let own = World::new().authority;
    let mut changed = own.crl(&list(&[&[5]]));
    let last = changed.len() - 1;
    changed[last] ^= 1;
    let later = List {
        times: (AT.plus(301), AT.plus(1000)),
        ..list(&[])
    };
    let part = List {
        part: Some("http://crl.example/2".to_owned()),
        ..list(&[])
    };
    let ended = List {
        times: (AT.plus(-900), AT.plus(-100)),
        ..list(&[])
    };
    let cases: Vec<(&str, Option<Vec<u8>>, &str)> = vec![
        ("not there", None, "no such list"),
        (
            "no list",
            Some(b"<html>".to_vec()),
            "not a list of revoked certificates",
        ),
        ("empty", Some(vec![]), "not a list of revoked certificates"),
        (
            "of one with that name",
            Some(stranger.crl(&list(&[]))),
            "not signed with the key",
        ),
        (
            "of another",
            Some(other.crl(&list(&[]))),
            "of another authority",
        ),
        ("changed", Some(changed), "not signed with the key"),
        ("of tomorrow", Some(own.crl(&later)), "from the future"),
        ("past its time", Some(own.crl(&ended)), "past its time"),
        (
            "of a part",
            Some(own.crl(&part)),
            "other certificates of the authority",
        ),
    ];
    for (name, bytes, detail) in cases {
        let gate = Gate::new(&configuration(&own));
        if let Some(bytes) = bytes {
            gate.crls.put(PLACE, bytes);
        }
        let pem = own.issue(&Client::new("a", AT).listed_at("http://crl.example/1"));
        let found = gate.outcome(&get(Kind::Rest, "/alone").shows(&pem)).await;
        let line = gate.line();
        assert_eq!(found, "crl_unavailable", "{name}: {line}");
        assert!(
            line["detail"].as_str().unwrap().contains(detail),
            "{name}: {line}"
        );
        assert_eq!(line["Class"], "unavailable", "{name}");
    }
}

#[tokio::test]
async fn a_list_of_a_part_counts_for_the_certificates_that_name_it() {
    let world = World::new();
    let place = "http://crl.example/1";
    world.publish(&List {
        part: Some(place.to_owned()),
        ..list(&[&[5]])
    });
    for (serial, expected) in [(5, "certificate_revoked"), (6, "allow")] {
        let client = Client::new("a", AT).serial(&[serial]).listed_at(place);
        let pem = world.authority.issue(&client);
        let asked = get(Kind::Http1, "/alone").shows(&pem);
        assert_eq!(world.gate.outcome(&asked).await, expected);
    }
}

#[tokio::test]
async fn a_list_serves_until_a_stated_bound_and_no_longer() {
    let world = World::new();
    world.publish(&list(&[&[5]]));
    assert_eq!(world.outcome(&[6], 0).await, "allow");
    // The place goes away; what was read serves on, for as long as it says and the configuration adds.
    world.gate.crls.remove(PLACE);
    for (later, good, bad) in [
        (999, "allow", "certificate_revoked"),
        (1099, "allow", "certificate_revoked"),
        (1100, "crl_unavailable", "crl_unavailable"),
    ] {
        assert_eq!(world.outcome(&[6], later).await, good, "{later}");
        assert_eq!(world.outcome(&[5], later).await, bad, "{later}");
    }
    // And it comes back, after the cool-down that keeps an outage from being asked by every request.
    world.publish(&List {
        times: (AT.plus(1100), AT.plus(9000)),
        ..list(&[&[6]])
    });
    assert_eq!(world.outcome(&[6], 1101).await, "crl_unavailable");
    assert_eq!(world.outcome(&[6], 1131).await, "certificate_revoked");
    assert_eq!(world.outcome(&[5], 1131).await, "allow");
}

#[tokio::test]
async fn a_newer_list_takes_the_place_of_an_older_one_and_never_the_other_way_round() {
    let world = World::new();
    let of = |begins: i64, serials: &[&[u8]]| List {
        times: (AT.plus(begins), AT.plus(90_000)),
        ..list(serials)
    };
    world.publish(&of(-60, &[&[5]]));
    assert_eq!(world.outcome(&[5], 0).await, "certificate_revoked");
    // Nobody reads again here, so a request does when that is long overdue.
    world.publish(&of(-600, &[]));
    assert_eq!(world.outcome(&[5], 1199).await, "certificate_revoked");
    assert_eq!(world.outcome(&[5], 1200).await, "certificate_revoked");
    world.publish(&of(1000, &[&[6]]));
    assert_eq!(world.outcome(&[6], 2399).await, "allow");
    assert_eq!(world.outcome(&[6], 2400).await, "certificate_revoked");
    assert_eq!(world.outcome(&[5], 2400).await, "allow");
}

#[tokio::test]
async fn many_at_once_fetch_a_list_once() {
    let world = World::new();
    world.publish(&list(&[&[5]]));
    let pems: Vec<String> = [5, 6, 7, 8]
        .map(|serial| {
            world
                .authority
                .issue(&Client::new("a", AT).serial(&[serial]))
        })
        .into();
    let asked = async |pem: String| {
        let asked = get(Kind::Http2, "/alone").shows(&pem);
        let _ = world.gate.ask_at(&asked, NOW).await;
    };
    let all = pems.into_iter().cycle().take(40).map(asked);
    futures_util::future::join_all(all).await;
    assert_eq!(world.gate.crls.fetched.load(Ordering::SeqCst), 1);
    let lines = world.gate.lines.lock().unwrap().clone();
    let of = |reason: &str| lines.iter().filter(|line| line["reason"] == reason).count();
    assert_eq!((lines.len(), of("certificate_revoked")), (40, 10));
}
