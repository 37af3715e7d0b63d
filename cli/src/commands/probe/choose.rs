//! Finds routes to try in the configuration: the engine says which ones the credential opens.

use std::net::IpAddr;

use doorward_engine::{
    Decision, Reason,
    routes::{Methods, Place, Route, Segment, Template},
};
use serde_json::json;

use super::{
    args::{AskedRoute, ProbeArgs},
    credential::Credential,
};
use crate::{clock, decider::Decider, exit::Failure, output, target::Target};

/// What stands for a parameter of a path.
const VALUE: &str = "1";

/// An address of nobody (RFC 5737), for routes whose lists only say who may not call.
const NOBODY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 1));

/// The routes to try.
pub(super) struct Routes {
    pub(super) allowed: AskedRoute,
    pub(super) refused: AskedRoute,
    /// A route that the credential opens, but not from here; or why there is none.
    pub(super) elsewhere: Result<AskedRoute, String>,
}

/// Takes the routes that were named, and finds the others in the configuration.
pub(super) async fn routes(
    args: &ProbeArgs,
    credential: &Credential,
    address: Option<IpAddr>,
) -> Result<Routes, Failure> {
    if let (Some(allowed), Some(refused)) = (&args.allowed, &args.refused)
        && (args.config.is_none() || args.elsewhere.is_some())
    {
        return Ok(Routes {
            allowed: allowed.clone(),
            refused: refused.clone(),
            elsewhere: args
                .elsewhere
                .clone()
                .ok_or_else(|| "no --elsewhere and no --config".to_owned()),
        });
    }
    let target = Target {
        table: args.table.as_deref(),
        endpoint: args.endpoint.as_deref(),
        config: args.config.as_ref(),
    };
    let document = target.document().await?;
    let config = document.read().await?.config;
    let candidates: Vec<_> = config
        .routes
        .routes()
        .iter()
        .filter_map(candidate)
        .collect();
    let decider = Decider::new(&document, config, &target).await?;
    let chooser = Chooser {
        decider,
        credential: credential.header(),
        candidates,
        name: document.name(),
    };
    let allowed = match &args.allowed {
        Some(named) => named.clone(),
        None => chooser.allowed(address).await?,
    };
    let refused = match &args.refused {
        Some(named) => named.clone(),
        None => chooser.refused(address).await?,
    };
    let elsewhere = match &args.elsewhere {
        Some(named) => Ok(named.clone()),
        None => chooser.elsewhere(address).await,
    };
    Ok(Routes {
        allowed,
        refused,
        elsewhere,
    })
}

struct Chooser<'a> {
    decider: Decider,
    credential: &'a str,
    candidates: Vec<Candidate>,
    name: &'a str,
}

/// A route that changes nothing when it is asked for.
struct Candidate {
    asked: AskedRoute,
    /// An address from which it may be used, where it has lists.
    from: Option<IpAddr>,
}

impl Chooser<'_> {
    async fn allowed(&self, address: Option<IpAddr>) -> Result<AskedRoute, Failure> {
        let mut last = None;
        for candidate in self.candidates.iter().filter(|one| one.from.is_none()) {
            match self.decision(&candidate.asked, address).await {
                Decision::Allow(_) => return Ok(self.found(candidate, "opens")),
                Decision::Deny(denial) => last = Some(denial.reason()),
            }
        }
        let why = last.map_or("it has none", Reason::mend);
        Err(self.nothing("opens no route for GET to the credential", why, "--allowed"))
    }

    async fn refused(&self, address: Option<IpAddr>) -> Result<AskedRoute, Failure> {
        for candidate in self.candidates.iter().filter(|one| one.from.is_none()) {
            if let Decision::Deny(denial) = self.decision(&candidate.asked, address).await
                && is_of_rights(denial.reason())
            {
                return Ok(self.found(candidate, "refuses"));
            }
        }
        let mend = "take a credential with fewer rights";
        Err(self.nothing(
            "refuses no route for GET to the credential",
            mend,
            "--refused",
        ))
    }

    /// A route that is open from its own address and not from `address`.
    async fn elsewhere(&self, address: Option<IpAddr>) -> Result<AskedRoute, String> {
        let Some(address) = address else {
            return Err(
                "what address the stage sees is not known; say it with --address".to_owned(),
            );
        };
        for candidate in &self.candidates {
            let Some(from) = candidate.from else { continue };
            let there = self.decision(&candidate.asked, Some(from)).await;
            let here = self.decision(&candidate.asked, Some(address)).await;
            if let (Decision::Allow(_), Decision::Deny(denial)) = (there, here)
                && denial.reason() == Reason::RouteAddressRefused
            {
                return Ok(self.found(candidate, "opens from elsewhere only"));
            }
        }
        Err(format!(
            "`{}` has no route for GET that the credential opens from elsewhere only",
            self.name
        ))
    }

    /// Says what was chosen, and why.
    fn found(&self, candidate: &Candidate, what: &str) -> AskedRoute {
        let (method, path) = &candidate.asked;
        let name = self.name;
        output::say(&format!("`{name}` {what}: {method} {path}"));
        candidate.asked.clone()
    }

    fn nothing(&self, what: &str, mend: &str, option: &str) -> Failure {
        Failure::usage(format!(
            "`{}` {what}: {mend}; or name one with {option}",
            self.name
        ))
    }

    /// What the engine says of the credential on this route. The event is that of a REST API; which API it is does not matter.
    async fn decision(&self, (method, path): &AskedRoute, address: Option<IpAddr>) -> Decision {
        let event = json!({
            "type": "REQUEST",
            "methodArn": format!("arn:aws:execute-api:us-east-1:000000000000:doorward00/v1/{method}{path}"),
            "path": path,
            "httpMethod": method,
            "headers": {"Authorization": self.credential},
            "requestContext": {
                "path": format!("/v1{path}"), "stage": "v1", "httpMethod": method,
                "identity": {"sourceIp": address},
            },
        });
        let event = event.to_string();
        let explained = self
            .decider
            .explain(event.as_bytes(), clock::moment())
            .await;
        explained.verdict.decision
    }
}

/// Whether the caller is known and lacks a right, which is a matter of the policy.
const fn is_of_rights(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::ScopeMissing
            | Reason::RoleMissing
            | Reason::TenantRefused
            | Reason::KeyRouteRefused
    )
}

/// The route as it can be asked for; `None` where anybody may, where asking may change something, or where a certificate or a token
/// of somebody else's is needed.
fn candidate(route: &Route) -> Option<Candidate> {
    let Place::Http(methods, template) = &route.place else {
        return None;
    };
    if route.is_open() || route.demands_certificate() || route.remote.exchange.is_some() {
        return None;
    }
    let method = match methods {
        Methods::Any | Methods::One("GET") => "GET",
        Methods::One(_) => return None,
    };
    let from = match &route.addresses {
        Some(rules) if !rules.is_open() => Some(match &rules.allow {
            Some(allowed) => allowed.ranges().next()?.addr(),
            None => NOBODY,
        }),
        _ => None,
    };
    Some(Candidate {
        asked: (method.to_owned(), path(template)),
        from,
    })
}

/// A path that the template matches.
fn path(template: &Template) -> String {
    if template.segments.is_empty() {
        return "/".to_owned();
    }
    let segments = template.segments.iter().map(|segment| match segment {
        Segment::Literal(text) => format!("/{text}"),
        Segment::Param(_) | Segment::Greedy(_) => format!("/{VALUE}"),
    });
    segments.collect()
}
