use super::*;

/// What the names of buckets begin with here: the limit, and what is counted in.
const ONE: &str = "x|rule=token_bucket:1000000";

/// The bucket of `by` for `caller` on the one route.
fn named(by: &str, caller: &Authenticated, address: Option<&str>) -> Result<String, Reason> {
    let table = format!("[limits.x]\nlimit = 1\nper = \"second\"\nby = {by}\n");
    let bench = Bench::new(&open("[\"x\"]", &table));
    let asked = Asked {
        route: &bench.config.routes.routes()[0],
        caller,
        address: address.map(|address| address.parse().unwrap()),
        now: bench.now,
        elapsed: Duration::ZERO,
        time_left: None,
    };
    let limit = &bench.config.limits.limits["x"];
    let named = bucket::bucket(limit, &limit.terms.rule, &asked);
    named
        .map(|bucket| bucket.as_str().to_owned())
        .map_err(|denial| denial.reason())
}

#[test]
fn buckets_are_told_apart_by_what_the_limit_names() {
    let key = with_key('V', None);
    let person = with_token("ann", Some("acme"), Some("app"));
    let plain = with_token("ann", None, None);
    let both = Authenticated {
        client: key.client.clone(),
        subject: with_token("ann", Some("globex"), None).subject,
        certificate: None,
    };
    let of_key = "key=key_01ARZ3NDEKTSV4RRFFQ69G5FAV";
    let ann = "subject=user%7Chttps://people.example%7Cann";
    let here = "address=198.51.100.7";
    for (by, caller, expected) in [
        ("[\"key\"]", &key, vec![of_key]),
        ("[\"key\"]", &person, vec![ann]),
        ("[\"key\"]", &both, vec![of_key]),
        ("[\"key\"]", &anonymous(), vec![here]),
        ("[\"subject\"]", &person, vec![ann]),
        ("[\"subject\"]", &both, vec![ann]),
        ("[\"subject\"]", &key, vec![of_key]),
        (
            "[\"client\"]",
            &person,
            vec!["client=https://people.example%7Capp"],
        ),
        ("[\"client\"]", &plain, vec![ann]),
        ("[\"client\"]", &key, vec![of_key]),
        ("[\"tenant\"]", &person, vec!["tenant=acme"]),
        ("[\"tenant\"]", &both, vec!["tenant=acme"]),
        ("[\"tenant\"]", &plain, vec![ann]),
        ("[\"address\"]", &key, vec![here]),
        ("[\"route\"]", &key, vec!["route=GET /"]),
        (
            "[\"tenant\", \"route\"]",
            &key,
            vec!["tenant=acme", "route=GET /"],
        ),
    ] {
        let expected = format!("{ONE}|{}", expected.join("|"));
        assert_eq!(
            named(by, caller, Some("198.51.100.7")),
            Ok(expected),
            "{by}"
        );
    }
}

#[test]
fn an_ipv6_address_counts_by_its_network_and_mapped_ones_as_ipv4() {
    for (address, expected) in [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("192.0.2.1", "192.0.2.1"),
    ] {
        let named = named("[\"address\"]", &anonymous(), Some(address));
        assert_eq!(named, Ok(format!("{ONE}|address={expected}")));
    }
}

#[test]
fn a_caller_without_name_and_address_is_refused() {
    for by in ["[\"subject\"]", "[\"tenant\", \"route\"]", "[\"address\"]"] {
        let named = named(by, &anonymous(), None);
        assert_eq!(named, Err(Reason::AddressUnknown), "{by}");
    }
}

#[test]
fn what_a_caller_chooses_names_no_other_bucket() {
    let evil = with_token("ann|address=198.51.100.7", None, None);
    let named_evil = named("[\"subject\", \"route\"]", &evil, None).unwrap();
    assert_eq!(named_evil.matches('|').count(), 3, "{named_evil}");
    let tenant = with_token("ann", Some("acme|route=GET /"), None);
    let mine = named("[\"tenant\"]", &tenant, None).unwrap();
    let theirs = with_token("bob", Some("acme"), None);
    assert_ne!(
        mine,
        named("[\"tenant\", \"route\"]", &theirs, None).unwrap()
    );
    // Long names are stored by their digest, under a word of their own.
    let long = "x".repeat(4000);
    let named_long = named("[\"tenant\"]", &with_token("a", Some(&long), None), None).unwrap();
    assert!(named_long.len() < 128 && named_long.starts_with(&format!("{ONE}|tenant-sha256=")));
    let (_, digest) = named_long.rsplit_once('=').unwrap();
    let faked = named("[\"tenant\"]", &with_token("a", Some(digest), None), None).unwrap();
    assert_ne!(faked, named_long);
}

const PLANS: &str = "[limits.rate]\nlimit = 1\nper = \"minute\"\nby = [\"key\"]\n\
     [plans.gold.limits.rate]\nlimit = 3\n[plans.other]\n[api_keys]\nprefix = \"ck\"\nenvironments = [\"live\"]\n";

#[tokio::test]
async fn a_key_has_the_numbers_of_its_plan_and_none_without_a_known_one() {
    let text = format!(
        "default_limits = [\"rate\"]\n{PLANS}[[routes]]\nroute = \"GET /\"\ncredentials = [\"api_key\"]\n\
         [[routes]]\nroute = \"GET /free\"\ncredentials = [\"api_key\"]\nlimits = []\n"
    );
    let bench = Bench::new(&text);
    let ask = async |caller: &Authenticated, route| bench.ask_as(caller, route).await.0;
    assert_eq!(ask(&with_key('A', None), 0).await, Answer::Within(0));
    assert_eq!(
        ask(&with_key('B', Some("gold")), 0).await,
        Answer::Within(2)
    );
    assert_eq!(
        ask(&with_key('C', Some("other")), 0).await,
        Answer::Within(0)
    );
    let unknown = with_key('D', Some("Gold"));
    assert_eq!(
        ask(&unknown, 0).await,
        Answer::Refused(Reason::KeyPlanUnknown)
    );
    assert_eq!(ask(&unknown, 1).await, Answer::Within(u64::MAX));
    let at = |route: usize| Asked {
        route: &bench.config.routes.routes()[route],
        caller: &unknown,
        address: None,
        now: bench.now,
        elapsed: Duration::ZERO,
        time_left: None,
    };
    assert!(!bench.limits.can_count(&at(0)));
    assert!(bench.limits.can_count(&at(1)));
}

/// Limits by tenant with two plans that change them.
fn of_tenant(limit: &str) -> String {
    format!(
        "default_limits = [\"rate\"]\n[api_keys]\nprefix = \"ck\"\nenvironments = [\"live\"]\n\
         [limits.rate]\nby = [\"tenant\"]\nwindow_seconds = 3600\n{limit}\n\
         [plans.free.limits.rate]\nlimit = 4\n[plans.gold.limits.rate]\nlimit = 40\n\
         [[routes]]\nroute = \"GET /\"\ncredentials = [\"api_key\"]\n"
    )
}

#[tokio::test]
async fn a_plan_that_is_used_up_does_not_starve_another_of_the_same_tenant() {
    for more in ["", "lease = 2"] {
        let bench = Bench::new(&of_tenant(&format!("limit = 6\n{more}")));
        let (free, gold) = (with_key('A', Some("free")), with_key('B', Some("gold")));
        let mut of_gold = 0;
        let mut of_free = 0;
        // In turns, so that a lease of the one would be lost to the other if they knew one only.
        for _ in 0..40 {
            let of = |answer: Answer| u64::from(matches!(answer, Answer::Within(_)));
            of_gold += of(bench.ask_as(&gold, 0).await.0);
            of_free += of(bench.ask_as(&free, 0).await.0);
        }
        let kept = if more.is_empty() { 0 } else { 2 };
        assert_eq!((of_free, of_gold), (4 - kept, 40 - kept), "{more}");
    }
}

#[tokio::test]
async fn a_changed_rule_counts_anew_at_once_unless_it_counts_in_the_same_units() {
    let caller = anonymous();
    let table = |numbers: &str| {
        let table = format!("[limits.rate]\nby = [\"address\"]\n{numbers}\n");
        open("[\"rate\"]", &table)
    };
    let month = "window_seconds = 432000";
    for (before, after, left) in [
        // A token of the old rule takes days to come back.
        (
            format!("limit = 2\n{month}"),
            format!("limit = 200\n{month}"),
            199,
        ),
        (
            format!("limit = 2\n{month}"),
            format!("algorithm = \"fixed_window\"\nlimit = 3\n{month}"),
            2,
        ),
        (
            format!("algorithm = \"fixed_window\"\nlimit = 2\n{month}"),
            "limit = 5\nper = \"second\"".to_owned(),
            4,
        ),
        (
            format!("algorithm = \"leaky_bucket\"\nlimit = 2\nmax_wait_ms = 5000\n{month}"),
            format!("algorithm = \"leaky_bucket\"\nlimit = 4\n{month}"),
            0,
        ),
        // What was counted in the same units counts on.
        (
            format!("limit = 2\n{month}"),
            format!("limit = 2\nburst = 5\n{month}"),
            2,
        ),
        (
            format!("algorithm = \"fixed_window\"\nlimit = 2\n{month}"),
            format!("algorithm = \"fixed_window\"\nlimit = 5\n{month}"),
            2,
        ),
    ] {
        let bench = Bench::new(&table(&before));
        while let Answer::Within(_) = bench.ask_as(&caller, 0).await.0 {}
        let changed = Bench::sharing(&table(&after), Arc::clone(&bench.store));
        assert_eq!(
            changed.ask().await,
            Answer::Within(left),
            "{before} to {after}"
        );
    }
}

const SHARED: &str = "default_limits = [\"ours\", \"mine\"]\n\
     [limits.ours]\nlimit = 3\nper = \"minute\"\nby = [\"tenant\"]\n\
     [limits.mine]\nlimit = 2\nper = \"hour\"\nby = [\"key\", \"route\"]\n\
     [api_keys]\nprefix = \"ck\"\nenvironments = [\"live\"]\n\
     [[routes]]\nroute = \"GET /\"\ncredentials = [\"api_key\"]\n";

#[tokio::test]
async fn who_may_not_use_a_route_spends_nothing_of_what_others_pay_into() {
    let bench = Bench::new(SHARED);
    let (without, with) = (with_key('A', None), with_key('B', None));
    for expected in [Answer::Within(1), Answer::Within(0)] {
        let (answer, visited) = bench.ask_within(&without, 0, Reach::Own).await;
        assert_eq!(answer, expected);
        assert_eq!(visited.len(), 1);
    }
    // They are limited all the same.
    let (answer, _) = bench.ask_within(&without, 0, Reach::Own).await;
    assert!(matches!(answer, Answer::Over(name, _) if name == "mine"));
    let (_, visited) = bench.ask_as(&with, 0).await;
    assert_eq!(
        (visited[0].name.as_str(), visited[0].remaining),
        ("ours", 2)
    );
}
