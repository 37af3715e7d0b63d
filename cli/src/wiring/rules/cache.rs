//! What the gateway keeps, under what, and for how long.

use doorward_engine::layers::policy::GatewayCache;

use super::{Asked, finding, listed, needs};
use crate::{
    caching,
    wiring::{
        Finding, Rule,
        model::{Api, Authorizer, Form, Source, Ttl},
    },
};

/// How long key administration takes answers to be kept where nothing is said, in seconds.
const DEFAULT_TTL: u32 = 300;

/// The longest time to live, in seconds (API Gateway: `CreateAuthorizer`).
const LONGEST: u32 = 3600;

pub(super) fn look(asked: Asked<'_>, found: &mut Vec<Finding>) {
    for (api, authorizer) in asked.wiring.authorizers() {
        unknown(authorizer, found);
        if !authorizer.keeps() {
            continue;
        }
        credentials(asked, api, authorizer, found);
        addresses(asked, authorizer, found);
        proofs(asked, authorizer, found);
        let of = |rule, message: String| finding(rule, authorizer.ttl.1, &api.id, message);
        if authorizer.form == Form::Http2Simple
            && !authorizer.keeps_by_route()
            && needs::http(asked.config).count() > 1
        {
            let message = "a kept answer says yes to every route";
            found.push(of(Rule::SimpleKept, message.to_owned()));
        }
        let warnings = caching::warnings(asked.config);
        let warning = warnings.iter().find(|one| one.code == "cached_context");
        if let Some(warning) = warning.filter(|_| !authorizer.keeps_by_route()) {
            found.push(of(Rule::CachedContext, warning.message.clone()));
        }
        let kept = authorizer.kept().map(u64::from);
        let kept = kept.map(std::time::Duration::from_secs);
        if let Some(fault) = kept.and_then(|kept| asked.config.shorter_than(kept)) {
            found.push(of(Rule::IdentityTokenShort, fault.message));
        }
    }
    promises(asked, found);
}

fn unknown(authorizer: &Authorizer, found: &mut Vec<Finding>) {
    let of = |rule, line, message: &str| finding(rule, line, &authorizer.name, message);
    let line = authorizer.ttl.1;
    match authorizer.ttl.0 {
        Ttl::Seconds(seconds) if seconds > LONGEST => {
            let message = "API Gateway takes at most 3600 seconds";
            found.push(of(Rule::TtlTooLong, line, message));
        }
        Ttl::Seconds(_) => {}
        Ttl::Unstated => {
            let message = "nothing says how long answers are kept";
            found.push(of(Rule::TtlUnstated, line, message));
        }
        Ttl::Unknown => {
            let message =
                "how long answers are kept is known to AWS only; it was taken that they are";
            found.push(of(Rule::Unknown, line, message));
        }
    }
    if authorizer.keeps() && authorizer.sources.contains(&Source::Unknown) {
        let message = "an identity source is known to AWS only";
        found.push(of(Rule::Unknown, authorizer.line, message));
    }
    if authorizer.form == Form::Unknown {
        let message = "what the authorizer is sent is known to AWS only";
        found.push(of(Rule::Unknown, authorizer.line, message));
    }
}

fn credentials(asked: Asked<'_>, api: &Api, authorizer: &Authorizer, found: &mut Vec<Finding>) {
    if authorizer.sources.contains(&Source::Unknown) {
        return;
    }
    let needs = asked.needs;
    let has = |source: &Source| authorizer.sources.contains(source);
    let mut of =
        |rule, message: String| found.push(finding(rule, authorizer.line, &api.id, message));
    let kept_under = if authorizer.sources.is_empty() {
        "nothing".to_owned()
    } else {
        listed(&authorizer.sources)
    };
    if !needs.places.is_empty() && !needs.places.iter().any(has) {
        let places = listed(&needs.places);
        of(
            Rule::CacheWithoutCredential,
            format!("answers are kept under {kept_under}, and credentials stand in {places}"),
        );
        return;
    }
    if let Some((route, all)) = &needs.together {
        let missing = listed(all.iter().filter(|source| !has(source)));
        if !missing.is_empty() {
            of(
                Rule::CacheWithoutCredential,
                format!(
                    "`{route}` takes several credentials together, and answers are kept without {missing}"
                ),
            );
        }
    }
    let unreachable = listed(needs.named.iter().filter(|source| !has(source)));
    if !unreachable.is_empty() {
        of(
            Rule::PlaceUnreachable,
            format!(
                "{unreachable}: no identity source, so a request with its credential there alone gets 401"
            ),
        );
    }
}

fn addresses(asked: Asked<'_>, authorizer: &Authorizer, found: &mut Vec<Finding>) {
    let is_simple = authorizer.form == Form::Http2Simple;
    let needed = match &asked.needs.address {
        Some(source) => source.clone(),
        None if is_simple && asked.needs.by_address => {
            Source::Context("identity.sourceIp".to_owned())
        }
        None => return,
    };
    let has = authorizer
        .sources
        .iter()
        .any(|source| *source == needed || (needed.is_address() && source.is_address()));
    if !has {
        let message = format!("answers depend on {needed}, and are kept without it");
        let rule = Rule::CacheWithoutAddress;
        found.push(finding(rule, authorizer.line, &authorizer.name, message));
    }
}

fn proofs(asked: Asked<'_>, authorizer: &Authorizer, found: &mut Vec<Finding>) {
    let by_certificate = authorizer.sources.iter().any(Source::is_certificate);
    let (line, name) = (authorizer.ttl.1, &authorizer.name);
    let mut of = |rule, message: &str| found.push(finding(rule, line, name, message));
    match asked.config.policy.gateway_cache {
        GatewayCache::Off => {
            let message = "`policy.gateway_cache` is `off`, and this authorizer keeps answers";
            of(Rule::CacheUntrue, message);
        }
        GatewayCache::ByCertificate if !by_certificate => {
            let message = "`policy.gateway_cache` is `by_certificate`, and the certificate is no identity source";
            of(Rule::CacheUntrue, message);
        }
        GatewayCache::ByCertificate if asked.needs.proofs => {
            of(Rule::CacheOfProofs, "a proof is for one request only");
        }
        GatewayCache::Unknown if asked.needs.proofs || asked.needs.certificates => {
            let message =
                "routes rest on certificates or proofs, and `policy.gateway_cache` is `unknown`";
            of(Rule::CacheOfProofs, message);
        }
        GatewayCache::ByCertificate | GatewayCache::Unknown => {}
    }
}

/// What the functions take the time to live for.
fn promises(asked: Asked<'_>, found: &mut Vec<Finding>) {
    let kept = asked.wiring.authorizers().filter_map(|(_, one)| one.kept());
    let Some(longest) = kept.max() else { return };
    for function in asked.wiring.functions.iter().filter(|one| one.is_doorwards) {
        let said = function.variables.get("DOORWARD_GATEWAY_TTL_SECONDS");
        let (stated, line) = match said {
            Some((Some(text), line)) => (text.parse().ok(), *line),
            None if function.is_key_admin => (Some(DEFAULT_TTL), function.line),
            Some((None, _)) | None => continue,
        };
        if let Some(stated) = stated.filter(|stated: &u32| *stated < longest) {
            let message =
                format!("answers are kept for {longest} seconds, and it is told {stated}");
            found.push(finding(
                Rule::RevocationPromise,
                line,
                &function.id,
                message,
            ));
        }
    }
}
