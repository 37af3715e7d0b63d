//! What happens when not everything fits, and what it costs.

use super::*;

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
    assert_eq!(
        world.build("GET", key.strip_prefix("+GET ").unwrap()),
        Err(Reason::PolicyTooLarge)
    );
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
            located: Some(&located),
        };
        let write = || {
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
            let built = write().map(|policy| {
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

#[test]
fn keeps_what_was_written_for_the_first_stage_and_no_failure() {
    let policy = Policy::deny("GET/a".to_owned());
    let write = |text: &str| {
        let text = format!("[\"{text}\"]");
        move || -> Result<Arc<RawValue>, ()> { Ok(RawValue::from_string(text).unwrap().into()) }
    };
    assert_eq!(policy.document("prod", || Err(())).map(|_| ()), Err(()));
    let got = |prefix: &str, text: &str| policy.document(prefix, write(text)).unwrap().to_string();
    assert_eq!(got("prod", "first"), "[\"first\"]");
    assert_eq!(got("prod", "never"), "[\"first\"]");
    assert_eq!(got("dev", "other"), "[\"other\"]");
    assert_eq!(got("prod", "never"), "[\"first\"]");
}
