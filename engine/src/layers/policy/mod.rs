//! Everything a caller may do, as statements that the gateway can cache.
//!
//! The gateway keeps an answer under its identity sources and applies it to later requests (AWS: *Output from an API Gateway
//! Lambda authorizer*). A policy is therefore written for the caller and not for the request:
//!
//! 1. It covers every route the caller may use, each under the condition of its route, and is built from templates only.
//!    Nothing of the client's path stands in it. Methods are spelled out, never `*`.
//! 2. A parameter becomes `?*`. That crosses slashes and takes literals, so each route that would win on a covered path and
//!    may not be used, or only under a narrower condition, gets a Deny: the pattern of what both share, under the opposite of
//!    its address condition where it has one. Templates without the method count as refused, because the path is matched
//!    first ([`crate::routes::RouteTable`]).
//! 3. With [`UnlistedPaths::Refuse`] the same holds for paths that no route matches.
//! 4. IAM compares the client's text and the engine the normal path ([`crate::request::path`]). Beside a wildcard, Denies
//!    stop every other spelling: dot segments, doubled slashes, refused escapes, and escaped characters of a literal that has
//!    a Deny.
//! 5. A slash at the end is read as none; the policy lists both spellings while there is room and refuses it otherwise.
//! 6. Where a Deny would stop a route that the caller may use, one of the two is left out: the route that was asked for
//!    stays, then those that share the longest prefix with it. The policy says less, never more, and is never cut.
//! 7. Where not all fits under the size limit: without slashes at the end, then with one Allow for everything below a prefix
//!    if nothing below it is harmed, then the nearest routes.
//! 8. What was asked for is checked against the finished policy by a matcher of its own. A request in another spelling than
//!    the plain one can be permitted and yet not be covered: [`crate::Reason::PolicyInexpressible`].
//! 9. Where the front is told yes or no, nothing is written and so nothing can fail to be. The answer is for the request that
//!    was asked for; a cache that applies it to others must have the route, and the address where lists are configured,
//!    among its identity sources.
//! 10. A client certificate and a proof of possession decide, and no condition can repeat them. What rests on one is allowed
//!     until the next whole second and one more, whatever the gateway keeps; what rests on a proof, for the route that was
//!     asked for only. Where the gateway tells callers apart by their certificate (`policy.gateway_cache`), what rests on a
//!     certificate holds as long as that. See `docs/decisions/0003-certificates-and-proofs.md`.
//!
//! Soundness is tested with random tables, rights and paths against an IAM evaluator that shares no code with this module. It
//! is claimed for paths whose `%` are followed by two hexadecimal digits that form UTF-8, and which hold no raw control
//! characters; globs cannot tell other texts apart. Why it is built like this: `docs/decisions/0001-policy-shape.md`.

mod build;
mod case;
mod class;
mod conditions;
mod config;
mod draft;
mod exceptions;
mod fill;
mod glob;
mod merge;
mod moment;
mod refusal;
mod remembered;
mod resources;
mod rights;
mod spelling;
#[cfg(test)]
mod tests;
mod writer;

use std::sync::{Arc, OnceLock};

use doorward_keys::Timestamp;
use ipnet::IpNet;
use serde_json::value::RawValue;

pub use build::{Asked, Scope, build, build_denial};
pub(crate) use case::{Bounds, Case};
pub(crate) use class::CallerClass;
pub(crate) use config::RawPolicy;
pub use config::{GatewayCache, PolicyConfig, UnlistedPaths};
pub use draft::is_exact;
pub(crate) use moment::Elapsed;
pub(crate) use refusal::lacks_policy;
pub(crate) use remembered::Policies;
pub use resources::Resources;
pub(crate) use writer::{Subject, Writer};

/// Allow or deny; a Deny wins wherever both match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The statement lets matching requests pass.
    Allow,
    /// The statement stops matching requests, whatever else allows them.
    Deny,
}

/// When a statement applies; all parts must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Condition {
    /// Before this time (`DateLessThan` on `aws:CurrentTime`).
    pub before: Option<Timestamp>,
    /// At this time and later (`DateGreaterThanEquals` on `aws:CurrentTime`).
    pub from: Option<Timestamp>,
    /// From these addresses (`IpAddress` on `aws:SourceIp`).
    pub addresses: Option<Vec<IpNet>>,
    /// Not from these addresses (`NotIpAddress` on `aws:SourceIp`).
    pub not_addresses: Vec<IpNet>,
}

/// One statement. Resources are what follows `{api}/{stage}/` in the ARN, such as `GET/orders/?*`; `*` matches any run of
/// characters, `/` included, and `?` exactly one (AWS: IAM JSON policy elements, Resource).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Allow or deny.
    pub effect: Effect,
    /// What it covers.
    pub resources: Resources,
    /// When it applies.
    pub condition: Condition,
}

/// The statements for one caller. Never empty. A copy costs nothing.
#[derive(Clone, Debug)]
pub struct Policy(Arc<Kept>);

#[derive(Debug)]
struct Kept {
    statements: Vec<Statement>,
    /// The ARN that it was written for first, and how.
    document: OnceLock<(String, Arc<RawValue>)>,
}

impl PartialEq for Policy {
    fn eq(&self, other: &Self) -> bool {
        self.statements() == other.statements()
    }
}

impl Eq for Policy {}

impl Policy {
    fn of(statements: Vec<Statement>) -> Self {
        Self(Arc::new(Kept {
            statements,
            document: OnceLock::new(),
        }))
    }

    /// The policy that denies `resource` and allows nothing.
    pub fn deny(resource: String) -> Self {
        Self::of(vec![Statement {
            effect: Effect::Deny,
            resources: vec![resource].into(),
            condition: Condition::default(),
        }])
    }

    /// The same policy, which under `when` denies `resource`.
    pub(crate) fn and_deny(&self, resource: String, when: Condition) -> Self {
        let deny = Statement {
            effect: Effect::Deny,
            resources: vec![resource].into(),
            condition: when,
        };
        let said = self.statements().iter().cloned();
        Self::of(said.chain([deny]).collect())
    }

    /// The same policy, where what ends ends at `end`. Whatever ends in it ends at one time.
    fn ending_at(&self, end: Timestamp) -> Self {
        let statements = self.statements().iter().map(|said| Statement {
            condition: Condition {
                before: said.condition.before.map(|_| end),
                ..said.condition.clone()
            },
            ..said.clone()
        });
        Self::of(statements.collect())
    }

    /// The document of this policy behind `arn_prefix`, which is the ARN up to the stage: as `write` writes it, which is asked
    /// once for most.
    ///
    /// # Errors
    /// Those of `write`.
    pub fn document<E>(
        &self,
        arn_prefix: &str,
        write: impl FnOnce() -> Result<Arc<RawValue>, E>,
    ) -> Result<Arc<RawValue>, E> {
        match self.0.document.get() {
            Some((prefix, written)) if prefix == arn_prefix => Ok(Arc::clone(written)),
            Some(_) => write(),
            None => {
                let written = write()?;
                let kept = (arn_prefix.to_owned(), Arc::clone(&written));
                // Whoever was faster wrote the same, or for another ARN.
                let _ = self.0.document.set(kept);
                Ok(written)
            }
        }
    }

    /// Whether it lets anything pass.
    pub(crate) fn allows_something(&self) -> bool {
        self.statements()
            .iter()
            .any(|said| said.effect == Effect::Allow)
    }

    /// The statements, Allow before Deny.
    pub fn statements(&self) -> &[Statement] {
        &self.0.statements
    }
}
