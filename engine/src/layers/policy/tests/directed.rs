use super::*;

const AWAY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 7));

/// Builds for the first path and checks which requests pass.
#[track_caller]
fn check(world: &World, asked: &str, passes: &[&str], refused: &[&str]) {
    let (verb, path) = asked.split_once(' ').unwrap();
    let policy = world.build(verb, path).unwrap();
    for (requests, expected) in [(passes, true), (refused, false)] {
        for request in requests {
            let (verb, raw) = request.split_once(' ').unwrap();
            assert_eq!(
                iam_allows(&policy, verb, raw, HOME),
                expected,
                "{request}: {policy:#?}"
            );
        }
    }
}

#[test]
fn describes_every_route_the_caller_may_use() {
    let world = World::unreachable(&[
        "+GET /orders",
        "+POST /orders",
        "+GET /orders/{id}",
        "+GET /orders/{id}/items",
        "GET /admin",
    ]);
    check(
        &world,
        "GET /orders/42",
        &[
            "GET /orders",
            "POST /orders",
            "GET /orders/7",
            "GET /orders/7/items",
            "HEAD /orders/7",
            "GET /orders/",
        ],
        &[
            "GET /admin",
            "DELETE /orders/7",
            "PUT /orders",
            "GETX /orders",
            "GET /orders/7/../../admin",
        ],
    );
}

#[test]
fn a_wildcard_never_crosses_into_what_is_refused() {
    let keys = [
        "+GET /users/{id}/orders",
        "GET /users/{id}/secret/{s}/orders",
        "GET /users/{id}",
    ];
    for world in [World::refuse(&keys), World::unreachable(&keys)] {
        check(
            &world,
            "GET /users/1/orders",
            &["GET /users/2/orders"],
            &["GET /users/1/secret/x/orders", "GET /users/1"],
        );
    }
    check(
        &World::refuse(&keys),
        "GET /users/1/orders",
        &[],
        &["GET /users/1/2/3/4/orders", "GET /users/1/x/orders"],
    );
}

#[test]
fn a_stricter_literal_is_denied_in_every_spelling() {
    let keys = ["+GET /users/{id}", "GET /users/me", "GET /users/Me"];
    for world in [World::refuse(&keys), World::unreachable(&keys)] {
        check(
            &world,
            "GET /users/42",
            &[
                "GET /users/7",
                "GET /users/mee",
                "GET /users/ME",
                "GET /users/m",
                "GET /users/a%20b",
                "GET /users/a%40b.c",
            ],
            &[
                "GET /users/me",
                "GET /users/Me",
                "GET /users/me/",
                "GET /users/%6De",
                "GET /users/%6de",
                "GET /users/m%65",
                "GET /users/%6D%65",
                "GET /users/./me",
                "GET /users/x/../me",
                "GET /users/%2e/me",
                "GET /users/x/%2E%2e/me",
                "GET /users//me",
                "GET //users/me",
                "GET /users/me/.",
                "GET /users/me;a=b",
                "GET /users/me%2f",
                "GET /users/..%5cme",
                "GET /users/%256De",
                "GET /users/%00me",
                "GET /users/me%7F",
                "GET /users/x\\me",
            ],
        );
    }
}

#[test]
fn a_stricter_template_on_another_method_only_does_not_open_it() {
    // The path is matched first: `GET /orders/special` is refused although `GET /orders/{id}` is permitted.
    let world = World::unreachable(&["+GET /orders/{id}", "+POST /orders/special"]);
    check(
        &world,
        "GET /orders/1",
        &["POST /orders/special", "GET /orders/2"],
        &["GET /orders/special", "POST /orders/1"],
    );
}

#[test]
fn a_less_specific_refused_route_needs_no_deny() {
    let world = World::refuse(&["+GET /orders/open", "GET /orders/{id}", "GET /{p+}"]);
    let policy = world.build("GET", "/orders/open").unwrap();
    assert!(resources(&policy, Effect::Deny).is_empty(), "{policy:#?}");
}

#[test]
fn method_names_are_spelled_out() {
    let world = World::refuse(&["+ANY /orders"]);
    let policy = world.build("GET", "/orders").unwrap();
    for verb in crate::routes::METHODS {
        assert!(iam_allows(&policy, verb, "/orders", HOME), "{verb}");
    }
    assert!(!iam_allows(&policy, "GETX", "/orders", HOME));
    assert!(!iam_allows(&policy, "CONNECT", "/orders", HOME));
    let verbs = resources(&policy, Effect::Allow)
        .into_iter()
        .map(|r| r.split('/').next().unwrap());
    assert!(
        verbs
            .into_iter()
            .all(|verb| crate::routes::METHODS.contains(&verb))
    );
}

#[test]
fn no_wildcard_of_the_client_reaches_an_allow() {
    for keys in [
        &["+GET /files/{p+}", "GET /admin"][..],
        &["+GET /files/{id}", "GET /admin"],
    ] {
        let world = World::unreachable(keys);
        let plain = world.build("GET", "/files/a").unwrap();
        for path in [
            "/files/*",
            "/files/?",
            "/files/%2A",
            "/files/%3F",
            "/files/${aws:userid}",
            "/files/a",
        ] {
            assert_eq!(world.build("GET", path).unwrap(), plain, "{path}");
        }
    }
}

#[test]
fn a_slash_at_the_end_means_what_the_engine_says() {
    let world = World::unreachable(&[
        "+GET /orders",
        "+GET /orders/{id}",
        "GET /orders/all",
        "+GET /",
    ]);
    check(
        &world,
        "GET /orders/",
        &["GET /orders", "GET /orders/", "GET /orders/1/", "GET /"],
        &["GET /orders/all/", "GET /orders/all", "GET //"],
    );
}

#[test]
fn letter_case_never_gives_more() {
    let world = World::refuse(&["+GET /admin", "+GET /users/{id}"]);
    check(
        &world,
        "GET /admin",
        &["GET /admin"],
        &["GET /Admin", "GET /ADMIN", "get /admin", "GET /USERS/1"],
    );
}

#[test]
fn unlisted_paths_are_refused_where_they_can_be_reached() {
    let keys = ["+GET /a/{x}", "+GET /b/{x}/c"];
    check(
        &World::refuse(&keys),
        "GET /a/1",
        &["GET /a/2", "GET /b/1/c"],
        &["GET /a/1/2", "GET /b/1/2/c", "GET /a/1/2/3"],
    );
    let policy = World::unreachable(&keys).build("GET", "/a/1").unwrap();
    assert!(iam_allows(&policy, "GET", "/a/1/2", HOME));
}

#[test]
fn deeper_permitted_templates_need_no_deny_between() {
    let world = World::refuse(&[
        "+GET /a/{x}",
        "+GET /a/{x}/{y}",
        "+GET /files/{id}",
        "+GET /files/{p+}",
    ]);
    check(
        &world,
        "GET /a/1",
        &["GET /a/1/2", "GET /files/1", "GET /files/1/2/3"],
        &["GET /a/1/2/3"],
    );
}

#[test]
fn narrows_to_the_route_that_was_asked_for() {
    // `/a/{x}` needs a Deny of everything deeper, which would stop `/a/{x}/items`.
    let world = World::refuse(&["+GET /a/{x}", "+GET /a/{x}/items", "+GET /b"]);
    check(
        &world,
        "GET /a/1",
        &["GET /a/1", "GET /b"],
        &["GET /a/1/items", "GET /a/1/other"],
    );
    check(
        &world,
        "GET /a/1/items",
        &["GET /a/1/items", "GET /b"],
        &["GET /a/1", "GET /a/1/other"],
    );
}

#[test]
fn a_route_with_a_narrower_address_list_is_not_opened_by_a_wider_one() {
    let world = World::unreachable(&["+GET /users/{id}", "+GET /users/me", "+GET /users/{id}/x"])
        .from("GET /users/me", &["10.0.0.0/8"], &[])
        .from("GET /users/{id}/x", &[], &["198.51.100.0/24"]);
    let policy = world.build("GET", "/users/1").unwrap();
    for (path, home, away) in [
        ("/users/1", true, true),
        ("/users/me", true, false),
        ("/users/1/x", true, false),
    ] {
        assert_eq!(
            iam_allows(&policy, "GET", path, HOME),
            home,
            "{path} {policy:#?}"
        );
        assert_eq!(
            iam_allows(&policy, "GET", path, AWAY),
            away,
            "{path} {policy:#?}"
        );
    }
}

#[test]
fn equal_conditions_share_a_statement() {
    let world = World::unreachable(&["+GET /a", "+GET /b", "+GET /c"])
        .from("GET /a", &["10.0.0.0/8"], &[])
        .from("GET /b", &["10.0.0.0/8"], &[]);
    assert_eq!(world.build("GET", "/a").unwrap().statements().len(), 2);
}

#[test]
fn another_spelling_of_what_was_asked_for_is_not_allowed() {
    let world = World::unreachable(&["+GET /orders/{id}"]);
    for raw in ["/orders//1", "/orders/./1", "/x/../orders/1", "/%6Frders/1"] {
        assert_eq!(
            world.build("GET", raw),
            Err(Reason::PolicyInexpressible),
            "{raw}"
        );
    }
}

#[test]
fn refuses_to_write_for_what_is_not_permitted() {
    let world = World::unreachable(&["+GET /a", "GET /b"]);
    assert_eq!(world.build("GET", "/b"), Err(Reason::RouteUnknown));
    assert_eq!(world.build("GET", "/c"), Err(Reason::RouteUnknown));
    assert_eq!(world.build("POST", "/a"), Err(Reason::RouteUnknown));
}

#[test]
fn a_refusal_leaves_the_other_routes_alone() {
    let world = World::unreachable(&["+GET /a", "+GET /a/{x}/y", "GET /a/{x}", "+GET /{p+}"]);
    let policy = world.deny("GET", "/a/1");
    assert!(!iam_allows(&policy, "GET", "/a/1", HOME));
    assert!(iam_allows(&policy, "GET", "/a", HOME), "{policy:#?}");
    let alone = World::unreachable(&["+GET /a", "GET /b/{x}"]).deny("GET", "/b/1");
    assert_eq!(resources(&alone, Effect::Deny), ["GET/b/?*"]);
    assert!(iam_allows(&alone, "GET", "/a", HOME));
}

#[test]
fn a_refusal_is_never_empty_and_never_allows_what_was_asked_for() {
    let world = World::refuse(&["GET /a"]);
    assert_eq!(
        resources(&world.deny("GET", "/a"), Effect::Deny),
        ["GET/a", "GET/a/"]
    );
    assert_eq!(resources(&world.deny("GET", "/b"), Effect::Deny), ["*"]);
    let permitted = World::refuse(&["+GET /a"]);
    assert!(!iam_allows(&permitted.deny("GET", "/a"), "GET", "/a", HOME));
}

#[test]
fn connect_and_graphql_stand_alone() {
    let place = |place| Route {
        place,
        ..routes(&["GET /x"]).remove(0)
    };
    let mut world = World::refuse(&["+GET /x"]);
    for (as_place, target, located, resource) in [
        (
            crate::routes::Place::Connect,
            Target::Connect,
            Located::Connect,
            "$connect",
        ),
        (
            crate::routes::Place::GraphQl,
            Target::GraphQl,
            Located::GraphQl,
            "$graphql",
        ),
    ] {
        world.table = RouteTable::new(vec![place(as_place)]).unwrap();
        let asked = Asked {
            target: &target,
            located: Some(&located),
        };
        let policy = build(&world.scope(), &asked, &|_| true, &|_| Condition::default()).unwrap();
        assert_eq!(resources(&policy, Effect::Allow), [resource]);
        let refused = build(&world.scope(), &asked, &|_| false, &|_| {
            Condition::default()
        });
        assert_eq!(refused, Err(Reason::RouteUnknown));
        let everybody = Condition::default();
        let denial = build_denial(
            &world.scope(),
            &asked,
            &|_| false,
            &|_| Condition::default(),
            &everybody,
        );
        assert_eq!(denial, Policy::deny(resource.to_owned()));
    }
}
