use super::*;

const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 7));
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
        &["GET /Admin", "GET /ADMIN", "get /admin", "GET /Users/1"],
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
            located: &located,
        };
        let policy = build(&world.scope(), &asked, &|_| true, &|_| Condition::default()).unwrap();
        assert_eq!(resources(&policy, Effect::Allow), [resource]);
        let refused = build(&world.scope(), &asked, &|_| false, &|_| {
            Condition::default()
        });
        assert_eq!(refused, Err(Reason::RouteUnknown));
        let denial = build_denial(&world.scope(), &asked, &|_| false, &|_| {
            Condition::default()
        });
        assert_eq!(denial, Policy::deny(resource.to_owned()));
    }
}

#[test]
fn a_document_stays_under_its_bound_and_keeps_what_is_near() {
    let keys: Vec<String> = (0..400)
        .map(|i| format!("+GET /service{}/{{id}}/items{i}", i / 20))
        .collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let mut world = World::refuse(&keys);
    world.max_bytes = 4096;
    let policy = world.build("GET", "/service7/1/items145").unwrap();
    for i in 140..145 {
        assert!(
            iam_allows(&policy, "GET", &format!("/service7/1/items{i}"), HOME),
            "{i}"
        );
    }
    assert!(!iam_allows(&policy, "GET", "/service9/1/items180", HOME));
    world.max_bytes = 200;
    assert_eq!(
        world.build("GET", "/service7/1/items145"),
        Err(Reason::PolicyTooLarge)
    );
}

#[test]
fn refuses_resources_that_are_too_long() {
    let key = format!("+GET /{}", "a".repeat(460));
    let world = World::refuse(&[&key, "+GET /b"]);
    assert_eq!(world.build("GET", &key[5..]), Err(Reason::PolicyTooLarge));
    assert!(world.build("GET", "/b").is_ok());
}

/// `n` services with four templates each, of which the caller may use all but one in `refused`.
fn many(n: usize, refused: usize) -> World {
    let templates = [
        "/v1/s{n}",
        "/v1/s{n}/{id}",
        "/v1/s{n}/{id}/items",
        "/v1/s{n}/{id}/items/{item}",
    ];
    let mut keys = Vec::new();
    for service in 0..n {
        for template in templates {
            for verb in ["GET", "POST"] {
                let mark = if refused > 0 && service % refused == 0 {
                    ""
                } else {
                    "+"
                };
                let path = template.replace("{n}", &service.to_string());
                keys.push(format!("{mark}{verb} {path}"));
            }
        }
    }
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    World::unreachable(&keys)
}

#[test]
fn merges_what_is_permitted_together_when_listing_takes_too_much_room() {
    let policy = many(100, 0).build("GET", "/v1/s7/1").unwrap();
    for path in ["/v1/s7", "/v1/s99/1", "/v1/s50/1/items/2"] {
        for verb in ["GET", "POST", "HEAD"] {
            assert!(iam_allows(&policy, verb, path, HOME), "{verb} {path}");
        }
        assert!(!iam_allows(&policy, "PUT", path, HOME));
    }
}

#[test]
fn merges_around_a_few_refused_routes() {
    let policy = many(100, 50).build("GET", "/v1/s7/1").unwrap();
    assert!(
        iam_allows(&policy, "GET", "/v1/s99/1/items/2", HOME),
        "{policy:#?}"
    );
    for path in [
        "/v1/s50",
        "/v1/s50/1",
        "/v1/s50/1/items",
        "/v1/s5%30/1",
        "/v1/s50/",
    ] {
        assert!(
            !iam_allows(&policy, "GET", path, HOME),
            "{path} {policy:#?}"
        );
    }
}

#[test]
fn never_merges_where_unlisted_paths_can_be_reached() {
    let mut world = many(100, 0);
    world.config.unlisted_paths = UnlistedPaths::Refuse;
    let policy = world.build("GET", "/v1/s7/1/items").unwrap();
    assert!(!iam_allows(&policy, "GET", "/v1/s7/1/other", HOME));
    assert!(!iam_allows(&policy, "GET", "/v1/other", HOME));
}

/// Prints what building costs; bounds are loose because machines are shared.
#[test]
fn five_thousand_routes_are_built_for_in_milliseconds() {
    for (n, refused) in [(1, 0), (5, 0), (625, 0), (625, 3), (625, 1)] {
        let mut world = many(n, refused);
        if refused == 1 {
            world.permitted.push("GET /v1/s0/{id}".to_owned());
        }
        let permitted: std::collections::HashSet<&str> =
            world.permitted.iter().map(String::as_str).collect();
        let path = format!("/v1/s{}/1", if refused == 1 { 0 } else { n.min(2) - 1 });
        let (target, located) = target("GET", &path);
        let asked = Asked {
            target: &target,
            located: &located,
        };
        let build = || {
            build(
                &world.scope(),
                &asked,
                &|r| permitted.contains(r.key.as_str()),
                &|_| Condition::default(),
            )
        };
        #[expect(clippy::disallowed_methods, reason = "a measurement")]
        let timed = || {
            let began = std::time::Instant::now();
            let built = build().map(|policy| {
                policy
                    .statements()
                    .iter()
                    .map(|s| s.resources.len())
                    .collect::<Vec<_>>()
            });
            (began.elapsed(), built)
        };
        let first = timed();
        let warm = (0..5).map(|_| timed().0).min().unwrap();
        println!(
            "{} routes, one service in {refused} refused: first {:?}, then {warm:?}; {:?}",
            n * 8,
            first.0,
            first.1
        );
        assert!(warm < std::time::Duration::from_millis(500));
    }
}
