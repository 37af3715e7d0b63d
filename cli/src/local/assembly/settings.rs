//! The settings of the gateway that `template.yaml` would deploy for a configuration, and what should be known of them.

use doorward_engine::{
    Config,
    config::{HttpApiAnswer, RateLimited},
    layers::policy::GatewayCache,
};
use doorward_keys::Secret;

use super::Api;
use crate::{
    exit::Failure,
    local::{
        gateway::{
            ApiKind, DeniedStatus, IdentitySource, Payload, Settings, Throttle, UsagePlan,
            UsagePlans,
        },
        mtls::Mtls,
    },
};

/// The API as `template.yaml` would deploy it for this configuration.
pub(super) fn of(api: Api, mtls: Option<&Mtls>, config: &Config) -> Result<Settings, Failure> {
    let payload = match (api.payload, config.answers.http_api) {
        (Payload::Http2, HttpApiAnswer::Simple) => Payload::Http2Simple,
        (payload, _) => payload,
    };
    let plans = match payload.api() {
        ApiKind::Rest => implied_plans(api.plans, config),
        ApiKind::Http => api.plans,
    };
    let by_configuration = match config.answers.rate_limited {
        RateLimited::Deny if has_limits(config) => DeniedStatus::TooManyRequests,
        _ => DeniedStatus::Forbidden,
    };
    let settings = Settings::new(payload, &api.stage, api.identity_sources, api.ttl)
        .and_then(|settings| settings.with_plans(plans))
        .map(|settings| settings.with_denied(api.denied.unwrap_or(by_configuration)))
        .map(|settings| {
            let default_endpoint = mtls.map(|mtls| mtls.default_endpoint);
            settings.with_default_endpoint(default_endpoint.unwrap_or_default())
        })
        .map_err(Failure::usage)?;
    match untrue(&settings, config.policy.gateway_cache) {
        Some(why) => Err(Failure::usage(why)),
        None => Ok(settings),
    }
}

/// Why what the configuration says of the cache is not true of this gateway, if it is not: answers that rest on it would be kept
/// for the wrong callers.
fn untrue(settings: &Settings, stated: GatewayCache) -> Option<String> {
    let ttl = settings.ttl();
    if ttl.is_zero() {
        return None;
    }
    let certificate = IdentitySource::Certificate;
    match stated {
        GatewayCache::Unknown => None,
        GatewayCache::Off => Some(format!(
            "`policy.gateway_cache` is `off`, and this gateway keeps answers for {} s; use `--ttl 0`",
            ttl.as_secs()
        )),
        GatewayCache::ByCertificate if settings.keeps_by(&certificate) => None,
        GatewayCache::ByCertificate => Some(
            "`policy.gateway_cache` is `by_certificate`, and the certificate is no identity source of this gateway; \
             use `--identity-source context:identity.clientCert.clientCertPem`, or `--ttl 0`"
                .to_owned(),
        ),
    }
}

/// With the penalty key go a plan that lets nothing pass and, for everybody else, one without a limit.
fn implied_plans(plans: UsagePlans, config: &Config) -> UsagePlans {
    let plan = |name: &str, key: &Secret<String>, throttle| UsagePlan {
        name: name.to_owned(),
        keys: vec![key.clone()],
        throttle,
        quota: None,
    };
    let RateLimited::PenaltyKey(penalty) = &config.answers.rate_limited else {
        return plans;
    };
    let nothing = Some(Throttle { rate: 0, burst: 0 });
    let plans = plans.with(plan("penalty", penalty, nothing));
    match &config.answers.usage_plan_key {
        Some(key) => plans.with(plan("everybody", key, None)),
        None => plans,
    }
}

fn has_limits(config: &Config) -> bool {
    !config.limits.limits.is_empty()
}

/// What should be known of how the gateway answers callers over a limit.
pub(super) fn notes(settings: &Settings, config: &Config) -> Vec<String> {
    if !has_limits(config) {
        return vec![];
    }
    let is_rest = settings.payload().api() == ApiKind::Rest;
    let note = match config.answers.rate_limited {
        RateLimited::Deny if settings.denied() == DeniedStatus::TooManyRequests && is_rest => {
            "whatever a policy denies is answered with 429, as by `RateLimitedAnswer: deny` of template.yaml, a missing scope too"
        }
        RateLimited::Deny | RateLimited::PenaltyKey(_) if !is_rest => {
            "an HTTP API answers callers over a limit with 403; only `answers.rate_limited = \"backend\"` gives 429 there"
        }
        RateLimited::PenaltyKey(_) if !settings.ttl().is_zero() => {
            "the gateway keeps the penalty of a caller over a limit for the whole ttl; `--ttl 0` ends it on time"
        }
        _ => return vec![],
    };
    vec![note.to_owned()]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[track_caller]
    fn check(sources: &[&str], ttl: u64, stated: GatewayCache, expected: &str) {
        let sources = sources
            .iter()
            .map(|text| IdentitySource::parse(text).unwrap());
        let ttl = Duration::from_secs(ttl);
        let settings = Settings::new(Payload::Http2, "$default", sources.collect(), ttl).unwrap();
        let found = untrue(&settings, stated).unwrap_or_default();
        assert_eq!(found.is_empty(), expected.is_empty(), "{found}");
        assert!(found.contains(expected), "{found}");
    }

    #[test]
    fn refuses_to_keep_answers_that_the_configuration_says_are_not_kept() {
        let token = &["header:authorization"][..];
        let certificate = "context:identity.clientCert.clientCertPem";
        let both = &["header:authorization", certificate][..];
        check(token, 10, GatewayCache::Unknown, "");
        check(token, 10, GatewayCache::Off, "--ttl 0");
        check(token, 0, GatewayCache::Off, "");
        check(token, 10, GatewayCache::ByCertificate, "no identity source");
        check(token, 0, GatewayCache::ByCertificate, "");
        check(both, 10, GatewayCache::ByCertificate, "");
    }
}
