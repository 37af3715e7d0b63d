//! Warnings about what a cached answer means for other routes than the one that was asked for. They are for whoever sets the API
//! up, and not for the log of the function: nothing is wrong as soon as the route is an identity source or nothing is cached,
//! which a configuration cannot know.

use doorward_engine::{
    Config,
    config::Fault,
    routes::{Kind, Place, Route},
};

/// The warnings for `config`.
pub fn warnings(config: &Config) -> Vec<Fault> {
    let routes = config.routes.routes();
    let of_context = differing(routes, differ);
    let of_context = of_context.map(|pair| Fault {
        path: "routes".to_owned(),
        place: None,
        code: "cached_context",
        message: format!(
            "{pair} have different `context` or `exchange`: a cached answer to one refuses the other until it ends; \
             put the route among the identity sources, or set the time to live to 0"
        ),
    });
    let of_limits = differing(routes, |left, right| {
        !differ(left, right) && spent(left) != spent(right)
    });
    let of_limits = of_limits.map(|pair| Fault {
        path: "routes".to_owned(),
        place: None,
        code: "cached_limits",
        message: format!(
            "{pair} have different `limits`: calls that a cached answer to one lets pass to the other spend nothing; where \
             that is too much, put the route among the identity sources, or set the time to live to 0"
        ),
    });
    of_context.into_iter().chain(of_limits).collect()
}

/// What a call spends.
fn spent(route: &Route) -> Vec<(&str, u64)> {
    let charges = route.limits.iter();
    charges
        .map(|charge| (charge.limit.name.as_str(), charge.cost.get()))
        .collect()
}

/// The first two routes of one caller that are `different`, in words, and how many more pairs there are.
fn differing(routes: &[Route], different: impl Fn(&Route, &Route) -> bool) -> Option<String> {
    let routes: Vec<&Route> = routes
        .iter()
        .filter(|route| matches!(route.place, Place::Http(..)))
        .collect();
    let different = &different;
    let mut pairs = routes.iter().enumerate().flat_map(|(at, left)| {
        let behind = routes.iter().skip(at.saturating_add(1));
        behind
            .filter(move |right| different(left, right) && may_share_a_caller(left, right))
            .map(move |right| (left, right))
    });
    let (left, right) = pairs.next()?;
    let more = match pairs.count() {
        0 => String::new(),
        more => format!(" (and {more} more pairs)"),
    };
    Some(format!("`{}` and `{}`{more}", left.key, right.key))
}

/// Whether the context of one would be the wrong one at the other: it carries the token of the exchange too.
fn differ(left: &Route, right: &Route) -> bool {
    left.context != right.context || left.remote.exchange != right.remote.exchange
}

/// Whether one credential can open both.
fn may_share_a_caller(left: &Route, right: &Route) -> bool {
    let kinds = |route: &Route| {
        let open = |kinds: &Vec<Kind>| {
            // API keys carry no roles.
            (route.roles.any.is_empty() && route.roles.all.is_empty())
                || kinds.contains(&Kind::Jwt)
                || kinds.contains(&Kind::Opaque)
        };
        let mut all: Vec<Vec<Kind>> = route
            .credentials
            .iter()
            .filter(|k| open(k))
            .cloned()
            .collect();
        for kinds in &mut all {
            kinds.sort_unstable();
        }
        all
    };
    let tenant = match (&left.tenants, &right.tenants) {
        (Some(left), Some(right)) => left.iter().any(|tenant| right.contains(tenant)),
        (Some(one), None) | (None, Some(one)) => !one.is_empty(),
        (None, None) => true,
    };
    let of_right = kinds(right);
    tenant && kinds(left).iter().any(|kinds| of_right.contains(kinds))
}

#[cfg(test)]
mod tests {
    use doorward_engine::config::ConfigEnv;

    use super::*;

    const BASE: &str = r#"
        api_keys = { prefix = "ck", environments = ["live"] }
        issuers = [{ issuer = "https://i.example", algorithms = ["ES256"], audiences = ["a"] }]
    "#;

    fn told(text: &str) -> Vec<String> {
        let env = ConfigEnv {
            read_file: &|_| Err("no files".to_owned()),
            secret: &|_| Err("no secrets".to_owned()),
        };
        let checked = Config::read(&format!("{BASE}{text}"), "t", &env).unwrap();
        warnings(&checked.config)
            .iter()
            .map(|fault| format!("{} {}", fault.code, fault.message))
            .collect()
    }

    #[track_caller]
    fn check_routes(left: &str, right: &str, warns: bool) {
        let routes = format!(
            "routes = [{{ route = \"GET /a\", {left} }}, {{ route = \"GET /b\", {right} }}]"
        );
        let told = told(&routes);
        assert_eq!(told.len(), usize::from(warns), "{routes} {told:?}");
    }

    #[test]
    fn routes_of_one_caller_with_different_context_are_named() {
        let jwt = "credentials = [\"jwt\"]";
        let both = "credentials = [\"jwt\", \"api_key\"]";
        check_routes(jwt, &format!("{both}, context = {{ a = \"1\" }}"), true);
        check_routes(
            &format!("{jwt}, context = {{ a = \"1\" }}"),
            &format!("{both}, context = {{ a = \"2\" }}"),
            true,
        );
        check_routes(
            &format!("{jwt}, context = {{ a = \"1\" }}"),
            &format!("{both}, context = {{ a = \"1\" }}"),
            false,
        );
        let told = told(&format!(
            "routes = [{{ route = \"GET /a\", {jwt} }}, {{ route = \"GET /b\", {jwt} }}, \
             {{ route = \"GET /c\", {jwt}, context = {{ a = \"1\" }} }}]"
        ));
        assert!(
            told[0].starts_with("cached_context `GET /a` and `GET /c` (and 1 more pairs) have"),
            "{told:?}"
        );
    }

    #[test]
    fn routes_of_one_caller_with_different_limits_are_named() {
        let jwt = "credentials = [\"jwt\"]";
        let limits = "limits = { a = { limit = 1, per = \"day\" } }\n";
        let told = |left: &str, right: &str| {
            told(&format!(
                "{limits}routes = [{{ route = \"GET /a\", {jwt}, {left} }}, {{ route = \"GET /b\", {right} }}]"
            ))
        };
        let limited = "limits = [\"a\"]";
        let found = told(limited, jwt);
        assert!(
            found[0].starts_with("cached_limits `GET /a` and `GET /b` have"),
            "{found:?}"
        );
        let same = format!("{jwt}, {limited}");
        assert!(told(limited, &same).is_empty());
        let of_others = "credentials = [\"api_key\"]";
        assert!(told(limited, of_others).is_empty());
    }

    #[test]
    fn routes_that_no_caller_shares_may_differ() {
        let key = "credentials = [\"api_key\"], context = { a = \"1\" }";
        let joined = "credentials = [\"api_key + jwt\"]";
        let both = "credentials = [\"jwt\", \"api_key\"]";
        for (left, right, warns) in [
            (key, "credentials = [\"jwt\"]", false),
            (key, "credentials = [\"anonymous\"]", false),
            (key, joined, false),
            (key, both, true),
        ] {
            check_routes(left, right, warns);
        }
        check_routes(key, &format!("{both}, roles = [\"admin\"]"), false);
        let of = |tenant: &str| format!("{both}, tenants = [\"{tenant}\"]");
        let context = "context = { a = \"1\" }";
        check_routes(&of("acme"), &format!("{}, {context}", of("globex")), false);
        check_routes(&of("acme"), &format!("{}, {context}", of("acme")), true);
        check_routes("credentials = [\"jwt\"]", "credentials = [\"jwt\"]", false);
    }
}
