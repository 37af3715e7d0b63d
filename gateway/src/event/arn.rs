//! The ARN of what is asked for, read by position: the path may hold colons, slashes, stage names and verbs.

use doorward_engine::request::{ApiStage, Target, Verb};

use super::tree::{Malformed, Node};

/// Longer ARNs are answered by the gateway itself with 414 (AWS: output from a Lambda authorizer).
const MAX_BYTES: usize = 1600;

/// The stage in the ARN of a test call from the console.
const TEST_STAGE: &str = "ESTestInvoke-stage";

/// `arn:{partition}:execute-api:{region}:{account}:{api}/{stage}/{verb}/{path}`, or `…/{stage}/$connect` (AWS: API
/// Gateway ARN format reference).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MethodArn {
    stage: ApiStage,
    resource: String,
}

impl MethodArn {
    /// The API and stage.
    pub const fn stage(&self) -> &ApiStage {
        &self.stage
    }

    /// What follows the stage: `GET/orders/42` or `$connect`. As the caller asked, so it may hold `*` and `?`.
    pub fn resource(&self) -> &str {
        &self.resource
    }
}

/// The parts of an ARN, where they stand in the event.
#[derive(Clone, Copy)]
pub(super) struct Parts<'e> {
    /// Up to and including the stage.
    prefix: &'e str,
    account: &'e str,
    api: &'e str,
    stage: &'e str,
    pub(super) resource: &'e str,
}

impl<'e> Parts<'e> {
    /// Reads an ARN. The parts before the verb stand in policies, so they hold nothing that a policy would interpret.
    pub(super) fn parse(text: &'e str, at: &'static str) -> Result<Self, Malformed> {
        let malformed = |what| Malformed { at, what };
        if text.len() > MAX_BYTES {
            return Err(malformed("is longer than 1,600 bytes"));
        }
        let mut parts = text.splitn(6, ':');
        let mut part = || parts.next().unwrap_or_default();
        let (arn, partition, service) = (part(), part(), part());
        let (region, account, rest) = (part(), part(), part());
        if arn != "arn" || service != "execute-api" || !is_word(partition) {
            return Err(malformed("is not the ARN of an API"));
        }
        let mut parts = rest.splitn(3, '/');
        let mut part = || parts.next().unwrap_or_default();
        let (api, stage, resource) = (part(), part(), part());
        if !is_word(region) || !is_word(account) || !is_word(api) {
            return Err(malformed("holds a region, account or API that cannot be"));
        }
        if !is_word(stage) && stage != "$default" {
            return Err(malformed("holds a stage that cannot be"));
        }
        let prefix = text
            .strip_suffix(resource)
            .and_then(|text| text.strip_suffix('/'));
        match prefix {
            Some(prefix) if !resource.is_empty() => Ok(Self {
                prefix,
                account,
                api,
                stage,
                resource,
            }),
            _ => Err(malformed("names no method and path")),
        }
    }

    /// The same, to keep.
    pub(super) fn kept(&self) -> MethodArn {
        MethodArn {
            stage: ApiStage::new(self.prefix.to_owned()),
            resource: self.resource.to_owned(),
        }
    }

    /// What is asked for.
    pub(super) fn target(&self, at: &'static str) -> Result<Target, Malformed> {
        if self.resource == "$connect" {
            return Ok(Target::Connect);
        }
        // `GET` alone and `GET/` both mean the root.
        let (verb, path) = self.resource.split_once('/').unwrap_or((self.resource, ""));
        match Verb::parse(verb) {
            Some(verb) => Ok(Target::Http {
                verb,
                path: format!("/{path}"),
            }),
            None => Err(Malformed {
                at,
                what: "names a method that cannot be",
            }),
        }
    }

    /// Refuses an event whose request context names another account, API or stage than the ARN.
    pub(super) fn agree(&self, event: &Node<'_>) -> Result<(), Malformed> {
        let differs = |at| Malformed {
            at,
            what: "is not what the ARN says",
        };
        let of = |at| Ok(event.text(at)?.filter(|text| !text.is_empty()));
        if of("requestContext.accountId")?.is_some_and(|account| account != self.account) {
            return Err(differs("requestContext.accountId"));
        }
        if of("requestContext.apiId")?.is_some_and(|api| api != self.api) {
            return Err(differs("requestContext.apiId"));
        }
        match of("requestContext.stage")? {
            None => Ok(()),
            Some(stage) if stage == self.stage => Ok(()),
            // The console's test call, and `sam local` for an HTTP API without a stage name.
            Some("test-invoke-stage") if self.stage == TEST_STAGE => Ok(()),
            Some("$default") if self.stage == "None" => Ok(()),
            Some(_) => Err(differs("requestContext.stage")),
        }
    }
}

/// The characters of partitions, regions, accounts, API ids and stage names.
fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 128
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Refuses an event whose own `methods` differ from the verb of the ARN.
pub(super) fn verb_agrees(
    event: &Node<'_>,
    target: &Target,
    methods: &[&'static str],
) -> Result<(), Malformed> {
    let Target::Http { verb, .. } = target else {
        return Ok(());
    };
    for at in methods {
        if event
            .text(at)?
            .is_some_and(|method| method != verb.as_str())
        {
            return Err(Malformed {
                at,
                what: "is not the method that the ARN says",
            });
        }
    }
    Ok(())
}
