//! IAM policies (AWS: output from a Lambda authorizer; IAM JSON policy elements).

use std::{borrow::Cow, sync::Arc};

use doorward_engine::{
    Reason,
    layers::policy::{Condition, Effect, Resources, Statement, is_exact},
};
use doorward_keys::Timestamp;
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::value::RawValue;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::context::{Facts, printable};
use crate::event::MethodArn;

/// The longest resource (AWS: output from a Lambda authorizer).
const MAX_RESOURCE: usize = 512;

/// A policy and what goes with it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PolicyAnswer<'a> {
    principal_id: Cow<'a, str>,
    policy_document: Json,
    context: Facts<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage_identifier_key: Option<&'a str>,
}

impl<'a> PolicyAnswer<'a> {
    pub(super) fn new(
        principal: &'a str,
        policy_document: Arc<RawValue>,
        context: Facts<'a>,
        usage_plan_key: Option<&'a str>,
    ) -> Self {
        Self {
            principal_id: printable(principal),
            policy_document: Json(policy_document),
            context,
            usage_identifier_key: usage_plan_key,
        }
    }
}

/// A policy document. Never without a statement.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Document<'a> {
    version: &'static str,
    statement: Vec<Said<'a>>,
}

#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Said<'a> {
    effect: &'static str,
    action: &'static str,
    resource: Json,
    #[serde(skip_serializing_if = "When::always")]
    condition: When<'a>,
}

/// A part of an answer that is written already, shared by all answers that have it.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
struct Json(#[serde(serialize_with = "as_it_is")] Arc<RawValue>);

fn as_it_is<S: serde::Serializer>(json: &Arc<RawValue>, serializer: S) -> Result<S::Ok, S::Error> {
    json.serialize(serializer)
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

impl Eq for Json {}

/// A condition as IAM writes it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct When<'a>(&'a Condition);

impl<'a> Document<'a> {
    /// The policy of a grant.
    pub(super) fn allowing(
        statements: &'a [Statement],
        arn: &MethodArn,
        max_bytes: usize,
    ) -> Result<Arc<RawValue>, Reason> {
        let document = Self::of(said(statements, arn));
        if !document.statement.iter().any(|said| said.effect == "Allow") {
            return Err(Reason::Internal);
        }
        let room = MAX_RESOURCE
            .saturating_sub(arn.stage().arn_prefix().len())
            .saturating_sub(1);
        let mut resources = statements.iter().flat_map(|said| said.resources.iter());
        let written = document.written();
        if written.fits(max_bytes) && resources.all(|resource| resource.len() <= room) {
            Ok(written.0)
        } else {
            Err(Reason::PolicyTooLarge)
        }
    }

    /// The policy of a refusal: `statements` of what else the caller may do, and the Deny of what was asked. The Deny is
    /// added here, whatever the statements say; where it cannot be said exactly, nothing else is allowed either. A refusal
    /// that holds under a condition, until a time or for an address, is a Deny under that condition, and what the statements
    /// say holds otherwise.
    pub(super) fn refusing(
        statements: &'a [Statement],
        asked: Option<&MethodArn>,
        holds: &'a Condition,
        max_bytes: usize,
    ) -> Arc<RawValue> {
        let only = |deny| Self::of(vec![deny]).written().0;
        let Some(arn) = asked else {
            return only(Said::deny_everything(holds));
        };
        let prefix = arn.stage().arn_prefix();
        let is_exact = is_exact(prefix, arn.resource());
        let denied = if is_exact { arn.resource() } else { "*" };
        let denied = Resources::from(vec![denied.to_owned()]);
        let deny = Said::deny(Json(denied.to_json(prefix)), holds);
        if !is_exact && *holds == Condition::default() {
            return only(deny);
        }
        let mut all = said(statements, arn);
        if !all.contains(&deny) {
            all.push(deny.clone());
        }
        let written = Self::of(all).written();
        if written.fits(max_bytes) {
            written.0
        } else {
            only(deny)
        }
    }

    const fn of(statement: Vec<Said<'a>>) -> Self {
        Self {
            version: "2012-10-17",
            statement,
        }
    }

    fn written(&self) -> Json {
        Json::of(self)
    }
}

impl Json {
    fn of(said: &impl Serialize) -> Self {
        // What is said here has text keys and plain values only, so this cannot fail; `null` would be a refusal at the gateway.
        let written = serde_json::value::to_raw_value(said);
        Self(written.unwrap_or_default().into())
    }

    fn fits(&self, max_bytes: usize) -> bool {
        self.0.get().len() <= max_bytes
    }
}

impl<'a> Said<'a> {
    fn deny(resource: Json, when: &'a Condition) -> Self {
        Self {
            effect: "Deny",
            action: ACTION,
            resource,
            condition: When(when),
        }
    }

    /// Where nothing is known of what was asked.
    fn deny_everything(when: &'a Condition) -> Self {
        Self::deny(Json::of(&["*"]), when)
    }
}

const ACTION: &str = "execute-api:Invoke";

/// Statements as IAM writes them. Those that cover nothing, or apply to nobody, are left out.
fn said<'a>(statements: &'a [Statement], arn: &MethodArn) -> Vec<Said<'a>> {
    let prefix = arn.stage().arn_prefix();
    let applies = |statement: &&'a Statement| {
        !statement.resources.is_empty()
            && statement
                .condition
                .addresses
                .as_ref()
                .is_none_or(|list| !list.is_empty())
    };
    let said = statements.iter().filter(applies).map(|statement| Said {
        effect: match statement.effect {
            Effect::Allow => "Allow",
            Effect::Deny => "Deny",
        },
        action: ACTION,
        resource: Json(statement.resources.to_json(prefix)),
        condition: When(&statement.condition),
    });
    said.collect()
}

impl When<'_> {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde calls it with a reference"
    )]
    fn always(&self) -> bool {
        *self.0 == Condition::default()
    }
}

impl Serialize for When<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Condition {
            before,
            from,
            addresses,
            not_addresses,
        } = self.0;
        let mut operators = serializer.serialize_map(None)?;
        if let Some(begin) = from {
            let operand = About("aws:CurrentTime", date(*begin));
            operators.serialize_entry("DateGreaterThanEquals", &operand)?;
        }
        if let Some(end) = before {
            let operand = About("aws:CurrentTime", date(*end));
            operators.serialize_entry("DateLessThan", &operand)?;
        }
        if let Some(list) = addresses {
            operators.serialize_entry("IpAddress", &About("aws:SourceIp", list))?;
        }
        if !not_addresses.is_empty() {
            operators.serialize_entry("NotIpAddress", &About("aws:SourceIp", not_addresses))?;
        }
        operators.end()
    }
}

/// What an operator compares with what.
struct About<T>(&'static str, T);

impl<T: Serialize> Serialize for About<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(self.0, &self.1)])
    }
}

/// A time as ISO 8601 in UTC, held within the years 1970 to 9999: an end beyond them is said earlier, never later.
fn date(at: Timestamp) -> String {
    const LAST: i64 = 253_402_300_799;
    let held = at.unix().clamp(0, LAST);
    OffsetDateTime::from_unix_timestamp(held)
        .ok()
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_else(|| "1970-01-01T00:00:00Z".to_owned())
}
