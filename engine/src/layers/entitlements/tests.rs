use std::{collections::BTreeMap, sync::Arc};

use doorward_keys::{Digest, KeyId, KeyRecord, KeyStatus};

use super::*;
use crate::{
    identity::{Certificate, Client, Known, Subject},
    layers::{
        certificate::{Identity, NameKind},
        ip_allow::AddressRules,
    },
    routes::{Methods, Place, Template},
    test_support::NOW,
};

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn route() -> Route {
    Route {
        key: "GET /orders".to_owned(),
        name: "orders".to_owned(),
        place: Place::Http(
            Methods::One("GET"),
            Template {
                segments: Vec::new(),
            },
        ),
        credentials: vec![
            vec![Kind::Jwt],
            vec![Kind::ApiKey],
            vec![Kind::ApiKey, Kind::Jwt],
        ],
        anonymous: false,
        scopes: Demand::default(),
        roles: Demand::default(),
        tenants: None,
        addresses: None,
        context: BTreeMap::new(),
        limits: Vec::new(),
        remote: crate::routes::Remote::default(),
    }
}

fn key(scopes: &str, tenant: &str, routes: Option<&str>) -> Client {
    Client {
        record: Arc::new(Known::from(KeyRecord {
            digest: Digest::from_bytes([7; 32]),
            id: KeyId::parse("key_01ARZ3NDEKTSV4RRFFQ69G5FAV").unwrap(),
            tenant: tenant.to_owned(),
            name: "partner".to_owned(),
            environment: "live".to_owned(),
            scopes: words(scopes),
            routes: routes.map(words),
            addresses: None,
            created_at: NOW,
            expires_at: None,
            status: KeyStatus::Active,
            changed_at: NOW,
            rotated_from: None,
            rotated_to: None,
            rotates_at: None,
            usage_plan_key: None,
            plan: None,
            decoy: false,
            metadata: BTreeMap::new(),
            version: 1,
        })),
    }
}

fn token(scopes: &str, roles: &str, tenant: Option<&str>) -> Subject {
    Subject {
        issuer_name: "demo".into(),
        issuer: "https://issuer.example".into(),
        subject: "alice".to_owned(),
        is_client: false,
        client_id: None,
        tenant: tenant.map(str::to_owned),
        scopes: words(scopes).into_iter().collect(),
        roles: words(roles).into_iter().collect(),
        valid_until: NOW.plus(60),
        expires_at: NOW,
        confirmation: None,
        context: BTreeMap::new(),
        token: crate::identity::TokenFacts::default(),
        introspected: None,
    }
}

fn of(
    client: Option<Client>,
    subject: Option<Subject>,
    certificate: Option<Certificate>,
) -> Authenticated {
    Authenticated {
        client,
        subject: subject.map(|subject| Arc::new(subject.into())),
        certificate: certificate.map(Box::new),
    }
}

#[track_caller]
fn check_case(route: &Route, client: Option<Client>, subject: Option<Subject>, expected: &str) {
    let address = Some("192.0.2.1".parse().unwrap());
    let found = check(route, &of(client, subject, None), address);
    assert_eq!(
        found.map_or_else(|denial| denial.reason().as_str(), |()| "entitled"),
        expected
    );
}

#[test]
fn refuses_missing_scopes_and_roles() {
    let wants = Route {
        scopes: Demand {
            any: words("a b"),
            all: words("c d"),
        },
        ..route()
    };
    check_case(&wants, None, Some(token("a c d", "", None)), "entitled");
    check_case(&wants, None, Some(token("c d", "", None)), "scope_missing");
    check_case(
        &wants,
        None,
        Some(token("a b c", "", None)),
        "scope_missing",
    );
    let wants = Route {
        roles: Demand {
            any: words("admin"),
            all: Vec::new(),
        },
        ..route()
    };
    check_case(&wants, None, Some(token("", "admin", None)), "entitled");
    check_case(&wants, None, Some(token("admin", "", None)), "role_missing");
    check_case(&wants, Some(key("admin", "t1", None)), None, "role_missing");
}

#[test]
fn compares_scopes_whole_and_by_case() {
    let wants = Route {
        scopes: Demand {
            any: Vec::new(),
            all: words("orders:read"),
        },
        ..route()
    };
    for held in ["orders", "orders:reads", "Orders:Read", "orders:*", "*"] {
        check_case(&wants, None, Some(token(held, "", None)), "scope_missing");
    }
}

#[test]
fn refuses_a_key_without_scopes_where_scopes_are_demanded() {
    let wants = Route {
        scopes: Demand {
            any: Vec::new(),
            all: words("a"),
        },
        ..route()
    };
    check_case(&wants, Some(key("", "t1", None)), None, "scope_missing");
}

#[test]
fn never_lets_one_credential_widen_the_other() {
    let wants = Route {
        scopes: Demand {
            any: Vec::new(),
            all: words("a"),
        },
        ..route()
    };
    check_case(
        &wants,
        Some(key("a", "t1", None)),
        Some(token("b", "", None)),
        "scope_missing",
    );
    check_case(
        &wants,
        Some(key("b", "t1", None)),
        Some(token("a", "", None)),
        "scope_missing",
    );
    check_case(
        &wants,
        Some(key("a b", "t1", None)),
        Some(token("a", "", None)),
        "entitled",
    );
}

#[test]
fn refuses_other_combinations_than_the_route_names() {
    let both = Route {
        credentials: vec![vec![Kind::ApiKey, Kind::Jwt]],
        ..route()
    };
    check_case(
        &both,
        Some(key("", "t1", None)),
        None,
        "credential_insufficient",
    );
    check_case(
        &both,
        None,
        Some(token("", "", None)),
        "credential_insufficient",
    );
    check_case(
        &both,
        Some(key("", "t1", None)),
        Some(token("", "", None)),
        "entitled",
    );
    let one = Route {
        credentials: vec![vec![Kind::Jwt]],
        ..route()
    };
    check_case(
        &one,
        Some(key("", "t1", None)),
        Some(token("", "", None)),
        "credential_insufficient",
    );
    check_case(&one, None, None, "credential_insufficient");
    let open = Route {
        credentials: Vec::new(),
        anonymous: true,
        ..route()
    };
    check_case(&open, None, None, "entitled");
    check_case(&open, Some(key("", "t1", Some(""))), None, "entitled");
}

#[test]
fn refuses_an_anonymous_caller_where_the_route_demands_more() {
    let demands = [
        Route {
            scopes: Demand {
                any: Vec::new(),
                all: words("a"),
            },
            ..route()
        },
        Route {
            roles: Demand {
                any: words("admin"),
                all: Vec::new(),
            },
            ..route()
        },
        Route {
            tenants: Some(words("t1")),
            ..route()
        },
        Route {
            tenants: Some(Vec::new()),
            ..route()
        },
    ];
    for wants in demands {
        let wants = Route {
            anonymous: true,
            ..wants
        };
        assert!(!opens(&wants, []), "{wants:?}");
        check_case(&wants, None, None, "credential_insufficient");
        // Nor does it spare those who prove who they are.
        let poor = check(
            &wants,
            &Authenticated {
                client: Some(key("", "t2", None)),
                subject: None,
                certificate: None,
            },
            None,
        );
        assert!(poor.is_err(), "{wants:?}");
    }
    let met = Route {
        anonymous: true,
        tenants: Some(words("t1")),
        ..route()
    };
    check_case(&met, Some(key("", "t1", None)), None, "entitled");
}

#[test]
fn refuses_two_tenants_on_an_open_route_too() {
    let open = Route {
        anonymous: true,
        ..route()
    };
    check_case(
        &open,
        Some(key("", "t1", None)),
        Some(token("", "", Some("t2"))),
        "tenant_refused",
    );
    check_case(
        &open,
        Some(key("", "t1", None)),
        Some(token("", "", Some("t1"))),
        "entitled",
    );
}

#[test]
fn refuses_other_tenants_and_two_that_differ() {
    let wants = Route {
        tenants: Some(words("t1")),
        ..route()
    };
    check_case(&wants, Some(key("", "t1", None)), None, "entitled");
    check_case(&wants, Some(key("", "t2", None)), None, "tenant_refused");
    check_case(&wants, None, Some(token("", "", None)), "tenant_refused");
    check_case(
        &Route {
            tenants: Some(Vec::new()),
            ..route()
        },
        Some(key("", "t1", None)),
        None,
        "tenant_refused",
    );
    check_case(
        &route(),
        Some(key("", "t1", None)),
        Some(token("", "", Some("t2"))),
        "tenant_refused",
    );
}

#[test]
fn refuses_a_key_on_routes_it_does_not_list() {
    check_case(
        &route(),
        Some(key("", "t1", Some("orders"))),
        None,
        "entitled",
    );
    check_case(
        &route(),
        Some(key("", "t1", Some("other"))),
        None,
        "key_route_refused",
    );
    check_case(
        &route(),
        Some(key("", "t1", Some(""))),
        None,
        "key_route_refused",
    );
}

#[test]
fn refuses_addresses_that_the_route_does_not_list() {
    let allow = Some(["203.0.113.0/24".parse().unwrap()].into_iter().collect());
    let office = Route {
        addresses: Some(AddressRules {
            allow,
            ..AddressRules::default()
        }),
        anonymous: true,
        ..route()
    };
    check_case(&office, None, None, "route_address_refused");
}

fn certificate(tenant: Option<&str>, scopes: Option<&str>) -> Certificate {
    Certificate {
        identity: Identity {
            kind: NameKind::Dns,
            name: "a.example.com".to_owned(),
        },
        authority: "ca".to_owned(),
        subject: String::new(),
        serial: "01".to_owned(),
        valid_until: NOW.plus(60),
        tenant: tenant.map(str::to_owned),
        scopes: scopes.map(|scopes| words(scopes).into_iter().collect()),
    }
}

#[test]
fn a_certificate_counts_where_the_route_asks_for_it_and_is_in_nobodys_way_elsewhere() {
    let alone = |tenant, scopes| of(None, None, Some(certificate(tenant, scopes)));
    let beside = |scopes| {
        let certificate = certificate(Some("t1"), scopes);
        of(None, Some(token("read", "", Some("t1"))), Some(certificate))
    };
    let route = |kinds: &[Kind], scopes: &str| {
        let mut route = crate::routes::tests::routes(&["GET /x"]).remove(0);
        route.credentials = vec![kinds.to_vec()];
        route.anonymous = false;
        route.scopes.all = words(scopes);
        route
    };
    let (of_jwt, of_certificate) = (&[Kind::Jwt][..], &[Kind::Certificate][..]);
    let of_both = &[Kind::Certificate, Kind::Jwt][..];
    for (kinds, scopes, caller, expected) in [
        (of_certificate, "", alone(None, None), "entitled"),
        (of_certificate, "read", alone(None, None), "scope_missing"),
        (
            of_certificate,
            "read",
            alone(None, Some("read")),
            "entitled",
        ),
        (of_jwt, "", alone(None, None), "credential_insufficient"),
        (of_jwt, "read", beside(Some("write")), "entitled"),
        (of_both, "read", beside(None), "entitled"),
        (of_both, "read", beside(Some("read write")), "entitled"),
        (of_both, "read", beside(Some("write")), "scope_missing"),
        (of_certificate, "", beside(None), "credential_insufficient"),
        (
            of_both,
            "",
            of(
                None,
                Some(token("", "", Some("t2"))),
                Some(certificate(Some("t1"), None)),
            ),
            "tenant_refused",
        ),
    ] {
        let found = check(&route(kinds, scopes), &caller, None);
        let found = found.map_or_else(|denial| denial.reason().as_str(), |()| "entitled");
        assert_eq!(found, expected, "{kinds:?} {scopes} {caller:?}");
    }
}

#[test]
fn an_opaque_token_opens_only_what_asks_its_server_and_takes_its_age() {
    use crate::{identity::Introspected, routes::Remote};
    let at = |server: Option<&str>, recently_active| Route {
        credentials: vec![vec![Kind::Opaque]],
        remote: Remote {
            server: server.map(str::to_owned),
            recently_active,
            exchange: None,
        },
        ..route()
    };
    let opaque = |by_request, is_recent| Subject {
        introspected: Some(Introspected {
            by_request,
            by_header: false,
            is_recent,
        }),
        ..token("", "", None)
    };
    for (route, by_request, is_recent, expected) in [
        (at(None, false), true, false, "entitled"),
        (at(None, false), false, false, "credential_insufficient"),
        (at(Some("demo"), false), false, false, "entitled"),
        (
            at(Some("other"), false),
            true,
            false,
            "credential_insufficient",
        ),
        (at(None, true), true, true, "entitled"),
        (at(None, false), true, true, "introspection_unavailable"),
    ] {
        check_case(&route, None, Some(opaque(by_request, is_recent)), expected);
    }
    let jwt = token("", "", None);
    check_case(&at(None, false), None, Some(jwt), "credential_insufficient");
}
