use std::{collections::BTreeMap, time::Duration};

use proptest::prelude::*;

use super::{shape::Shape, *};
use crate::request::{Located, Verb, path::NormalPath};

pub(crate) fn route(methods: Methods, template: &str) -> Route {
    let method = match &methods {
        Methods::Any => "ANY",
        Methods::One(name) => name,
    };
    let key = format!("{method} {template}");
    let place = Place::Http(methods, Template::parse(template).unwrap());
    at(key, place)
}

fn at(key: String, place: Place) -> Route {
    Route {
        name: key.clone(),
        key,
        place,
        credentials: Vec::new(),
        anonymous: false,
        scopes: Demand::default(),
        roles: Demand::default(),
        tenants: None,
        addresses: None,
        context: BTreeMap::new(),
        limits: Vec::new(),
        remote: super::Remote::default(),
    }
}

/// Routes from keys such as `GET /orders/{id}`.
pub(crate) fn routes(keys: &[&str]) -> Vec<Route> {
    let parse = |key: &&str| {
        let (method, template) = key.split_once(' ').unwrap();
        let named = METHODS.iter().find(|name| **name == method);
        route(
            named.map_or(Methods::Any, |name| Methods::One(name)),
            template,
        )
    };
    keys.iter().map(parse).collect()
}

pub(crate) fn located(verb: &str, path: &str) -> Located {
    Located::Http {
        verb: Verb::parse(verb).unwrap(),
        path: NormalPath::parse(path).unwrap(),
    }
}

#[track_caller]
fn check(keys: &[&str], verb: &str, path: &str, expected: Option<&str>) {
    let mut routes = routes(keys);
    for _ in 0..2 {
        let table = RouteTable::new(routes.clone()).unwrap();
        let found = table.find(&located(verb, path));
        assert_eq!(found.map(|r| r.key.as_str()), expected, "{verb} {path}");
        // The order in the file does not matter.
        routes.reverse();
    }
}

#[test]
fn the_most_specific_template_wins() {
    let keys = [
        "GET /a/b",
        "GET /a/{x}",
        "GET /a/{p+}",
        "GET /{x}/b",
        "GET /{p+}",
    ];
    check(&keys, "GET", "/a/b", Some("GET /a/b"));
    check(&keys, "GET", "/a/c", Some("GET /a/{x}"));
    check(&keys, "GET", "/a/c/d", Some("GET /a/{p+}"));
    check(&keys, "GET", "/c/b", Some("GET /{x}/b"));
    check(&keys, "GET", "/c", Some("GET /{p+}"));
    check(&keys, "GET", "/a", Some("GET /{p+}"));
    check(&keys, "GET", "/", None);
}

#[test]
fn goes_back_when_a_literal_leads_nowhere() {
    let keys = ["GET /a/b/c", "GET /{x}/b/d", "GET /a/{x}/e", "GET /{p+}"];
    check(&keys, "GET", "/a/b/d", Some("GET /{x}/b/d"));
    check(&keys, "GET", "/a/b/e", Some("GET /a/{x}/e"));
    check(&keys, "GET", "/a/b/f", Some("GET /{p+}"));
    check(
        &["GET /foo", "GET /{x}"],
        "GET",
        "/foobar",
        Some("GET /{x}"),
    );
}

#[test]
fn greedy_takes_one_or_more_segments() {
    check(&["GET /files/{p+}"], "GET", "/files", None);
    check(
        &["GET /files/{p+}"],
        "GET",
        "/files/a",
        Some("GET /files/{p+}"),
    );
    check(
        &["GET /files/{p+}"],
        "GET",
        "/files/a/b",
        Some("GET /files/{p+}"),
    );
}

#[test]
fn path_goes_before_method() {
    let keys = ["POST /orders/special", "GET /orders/{id}"];
    check(&keys, "GET", "/orders/special", None);
    check(&keys, "GET", "/orders/1", Some("GET /orders/{id}"));
}

#[test]
fn head_needs_the_route_of_get() {
    check(&["GET /a"], "HEAD", "/a", Some("GET /a"));
    check(&["GET /a", "HEAD /a"], "HEAD", "/a", Some("HEAD /a"));
    check(&["GET /a", "ANY /a"], "HEAD", "/a", Some("GET /a"));
    check(&["POST /a"], "HEAD", "/a", None);
}

#[test]
fn any_goes_after_named_methods_and_is_no_wildcard() {
    check(&["ANY /a", "GET /{x}"], "POST", "/a", Some("ANY /a"));
    check(&["ANY /a", "POST /a"], "POST", "/a", Some("POST /a"));
    check(&["ANY /a"], "GETX", "/a", None);
    check(&["ANY /a"], "OPTIONS", "/a", Some("ANY /a"));
    check(&["GET /a"], "OPTIONS", "/a", None);
}

#[test]
fn names_of_parameters_do_not_matter() {
    let keys = ["GET /a/{x}", "POST /a/{y}", "GET /a/{z}/b"];
    check(&keys, "GET", "/a/1", Some("GET /a/{x}"));
    check(&keys, "POST", "/a/1", Some("POST /a/{y}"));
    check(&keys, "GET", "/a/1/b", Some("GET /a/{z}/b"));
}

#[test]
fn letter_case_never_gives_more() {
    check(&["GET /admin"], "GET", "/Admin", None);
}

#[test]
fn connect_and_graphql_are_single_places() {
    let place = |place| at(format!("{place:?}"), place);
    let table = RouteTable::new(vec![place(Place::Connect), place(Place::GraphQl)]).unwrap();
    assert_eq!(table.find(&Located::Connect).unwrap().key, "Connect");
    assert_eq!(table.find(&Located::GraphQl).unwrap().key, "GraphQl");
    let twice = RouteTable::new(vec![place(Place::Connect), place(Place::Connect)]);
    assert!(matches!(twice, Err(Conflict::Repeated { .. })));
}

#[test]
fn refuses_routes_that_answer_the_same_requests() {
    for keys in [["GET /a/{x}", "GET /a/{y}"], ["ANY /a", "ANY /a"]] {
        let conflict = RouteTable::new(routes(&keys)).unwrap_err();
        let (first, second) = (keys[0].to_owned(), keys[1].to_owned());
        assert_eq!(conflict, Conflict::Repeated { first, second });
    }
}

#[test]
fn refuses_literals_that_no_path_can_match_or_that_iam_would_expand() {
    for literal in [
        "a*",
        "a?",
        "${aws:userid}",
        "a%62",
        "..",
        "",
        "a;b",
        "a/b",
        "caf\u{e9}",
    ] {
        let template = Template {
            segments: vec![Segment::Literal(literal.to_owned())],
        };
        let route = at("r".to_owned(), Place::Http(Methods::Any, template));
        let found = RouteTable::new(vec![route]);
        assert!(matches!(found, Err(Conflict::Literal { .. })), "{literal}");
    }
}

/// Every path of up to six segments over three words: long enough for any two templates below to meet, stretched or not.
fn all_paths() -> Vec<String> {
    let mut all = vec![String::new()];
    let mut from = 0;
    for _ in 0..6 {
        let to = all.len();
        for i in from..to {
            for word in ["a", "b", "c"] {
                all.push(format!("{}/{word}", all[i]));
            }
        }
        from = to;
    }
    all[0] = "/".to_owned();
    all
}

fn template() -> impl Strategy<Value = String> {
    let piece = prop_oneof![Just("a"), Just("b"), Just("{x}")];
    (proptest::collection::vec(piece, 0..3), any::<bool>()).prop_map(|(pieces, open)| {
        let mut text = String::new();
        for (i, piece) in pieces.iter().enumerate() {
            text.push('/');
            text.push_str(&piece.replace('x', &format!("x{i}")));
        }
        if open {
            text.push_str("/{p+}");
        }
        if text.is_empty() {
            "/".to_owned()
        } else {
            text
        }
    })
}

fn segments(path: &str) -> Vec<&str> {
    path.split('/').filter(|s| !s.is_empty()).collect()
}

/// Whether `template` matches, or with `stretch` its glob covers, the segments of a path.
fn matches(template: &[Segment], path: &[&str], stretch: bool) -> bool {
    match (template.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((Segment::Literal(text), rest)), Some((first, path))) => {
            text == first && matches(rest, path, stretch)
        }
        (Some((wild, rest)), Some((_, path))) => {
            let longer = stretch || matches!(wild, Segment::Greedy(_));
            matches(rest, path, stretch) || longer && matches(template, path, stretch)
        }
        _ => false,
    }
}

fn kinds(template: &Template) -> Vec<u8> {
    let kind = |s: &Segment| match s {
        Segment::Literal(_) => 0,
        Segment::Param(_) => 1,
        Segment::Greedy(_) => 2,
    };
    template.segments.iter().map(kind).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn finds_what_the_simplest_matcher_finds(
        rows in proptest::collection::vec((template(), 0..4_usize), 1..9),
    ) {
        let methods = [Methods::Any, Methods::One("GET"), Methods::One("HEAD"), Methods::One("POST")];
        let mut rows: Vec<Route> = rows.into_iter().map(|(t, m)| route(methods[m].clone(), &t)).collect();
        rows.sort_by(|a, b| a.key.cmp(&b.key));
        rows.dedup_by(|a, b| a.key == b.key);
        let table = RouteTable::new(rows.clone()).unwrap();
        for path in all_paths() {
            let segments = segments(&path);
            let of = |r: &Route| match &r.place { Place::Http(m, t) => (m.clone(), t.clone()), _ => panic!("no path") };
            let best = rows.iter().map(of).filter(|(_, t)| matches(&t.segments, &segments, false)).map(|(_, t)| kinds(&t)).min();
            for verb in ["GET", "HEAD", "POST", "PUT"] {
                let mine: Vec<&Route> = rows.iter().filter(|r| {
                    let t = of(r).1;
                    Some(kinds(&t)) == best && matches(&t.segments, &segments, false)
                }).collect();
                let named = |name| mine.iter().find(|r| matches!(of(r).0, Methods::One(n) if n == name));
                let any = mine.iter().find(|r| of(r).0 == Methods::Any);
                let for_head = if verb == "HEAD" { named("GET") } else { None };
                let expected = named(verb).or(for_head).or(any).map(|r| &r.key);
                prop_assert_eq!(table.find(&located(verb, &path)).map(|r| &r.key), expected, "{} {}", verb, path);
            }
        }
    }

    #[test]
    fn shapes_say_what_their_paths_say(a in template(), b in template()) {
        let (ta, tb) = (Template::parse(&a).unwrap(), Template::parse(&b).unwrap());
        let (sa, sb) = (Shape::of(&ta), Shape::of(&tb));
        let meet = sa.meet(&sb);
        let paths = all_paths();
        let mut both = 0;
        let mut covered = true;
        let mut glob_meets = false;
        let mut glob_covers = true;
        for path in &paths {
            let path = segments(path);
            let (in_a, in_b) = (matches(&ta.segments, &path, false), matches(&tb.segments, &path, false));
            let under = matches(&ta.segments, &path, true);
            both += usize::from(in_a && in_b);
            covered &= in_a || !in_b;
            glob_meets |= under && in_b;
            glob_covers &= under || !in_b;
            let in_meet = meet.as_ref().is_some_and(|meet| {
                let exact = Shape::of(&template_of(meet));
                exact == *meet && matches(&template_of(meet).segments, &path, false)
            });
            prop_assert_eq!(in_meet, in_a && in_b, "{:?}", path);
        }
        prop_assert_eq!(meet.is_some(), both > 0);
        prop_assert_eq!(sa.covers(&sb), covered);
        // It may say no where the answer is yes, never yes where it is no.
        prop_assert!(!sa.glob_covers(&sb) || glob_covers);
        let table = RouteTable::new(vec![route(Methods::Any, &b)]).unwrap();
        prop_assert_eq!(table.under_glob(&sa).len() == 1, glob_meets);
        for longer in sa.stretched() {
            prop_assert!(sa.glob_covers(&longer));
            prop_assert_eq!(longer.len(), sa.len() + 1);
        }
    }
}

fn template_of(shape: &Shape) -> Template {
    let last = shape.len().saturating_sub(1);
    let piece = |(i, piece): (usize, &shape::Piece)| match piece {
        shape::Piece::Literal(text) => Segment::Literal(text.to_string()),
        shape::Piece::Wild if i == last && shape.is_open() => Segment::Greedy("p".to_owned()),
        shape::Piece::Wild => Segment::Param("p".to_owned()),
    };
    Template {
        segments: shape.pieces().iter().enumerate().map(piece).collect(),
    }
}

#[test]
fn five_thousand_routes_take_no_longer_than_ten() {
    let keys = |n: usize| -> Vec<String> {
        (0..n)
            .map(|i| format!("GET /v1/s{i}/{{id}}/items/{{item}}"))
            .collect()
    };
    let time = |n: usize| {
        let keys = keys(n);
        let table =
            RouteTable::new(routes(&keys.iter().map(String::as_str).collect::<Vec<_>>())).unwrap();
        let asked = located("GET", &format!("/v1/s{}/42/items/7", n - 1));
        let fastest = (0..20).map(|_| {
            #[expect(clippy::disallowed_methods, reason = "a measurement")]
            let began = std::time::Instant::now();
            for _ in 0..200 {
                assert!(table.find(&asked).is_some());
            }
            began.elapsed()
        });
        fastest.min().unwrap_or(Duration::MAX)
    };
    let (few, many) = (time(10), time(5000));
    assert!(many < few * 5, "10 routes {few:?}, 5000 routes {many:?}");
}
