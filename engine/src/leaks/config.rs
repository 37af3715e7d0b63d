//! The configuration of leaks as written, and its check.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{LeakAction, LeaksConfig};
use crate::{
    config::{
        Faults, Problem,
        values::{Limits, shown},
    },
    layers::jwt::{Fields, Origin, check_address},
};

/// <https://docs.github.com/en/code-security/secret-scanning/secret-scanning-partnership-program/secret-scanning-partner-program>
const GITHUB: &str = "https://api.github.com/meta/public_keys/secret_scanning";

/// The secret is in the open: no longer than its holder takes to read the new one.
const OVERLAP: Limits = Limits {
    min: 0,
    max: 86_400,
    default: 900,
};

/// Reports of leaked keys by the secret scanning of GitHub. Without this table `POST /leaks/github` of key administration is not
/// there.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct RawLeaks {
    /// What becomes of a key that is reported. Its owner is told in any case. A decoy stays as it is, so that its use is seen.
    #[cfg_attr(feature = "schema", schemars(extend("default" = "revoke")))]
    action: Option<RawAction>,
    /// The same by environment, for those that differ, such as `test = "notify"`. Only those of `api_keys.environments`.
    actions: Option<BTreeMap<String, RawAction>>,
    /// For how long a leaked key works beside its successor where the rule is `rotate`, in seconds.
    #[cfg_attr(feature = "schema", schemars(range(min = OVERLAP.min, max = OVERLAP.max), extend("default" = OVERLAP.default)))]
    overlap_seconds: Option<i64>,
    /// The https address of the public keys with which reports are signed.
    #[cfg_attr(feature = "schema", schemars(extend("default" = GITHUB)))]
    public_keys: Option<String>,
    /// Whether the public keys may be fetched over http and from private addresses, for development: whoever controls that
    /// network can have every key revoked that they know.
    #[cfg_attr(feature = "schema", schemars(extend("default" = false)))]
    danger_allow_http: Option<bool>,
}

/// What becomes of a leaked key.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
enum RawAction {
    /// It is ended for good.
    Revoke,
    /// It gets a successor, which goes at once into the secret of the key's scheduled rotation (`doorward keys schedule`), and
    /// ends after `overlap_seconds`. A key without such a secret is ended for good.
    Rotate,
    /// It is switched off, and can be switched on again. A report that comes again switches it off again.
    Disable,
    /// It works on.
    Notify,
}

impl RawLeaks {
    /// The checked configuration. `environments` are those whose keys are accepted; `None` where no keys are, or that has a fault.
    pub(crate) fn check(
        self,
        has_keys: bool,
        environments: Option<&[String]>,
        faults: &mut Faults,
    ) -> LeaksConfig {
        if !has_keys {
            faults.warning("leaks", Problem::LeaksAlone);
        }
        let http = self.danger_allow_http.unwrap_or(false);
        if http {
            faults.warning("leaks.danger_allow_http", Problem::LeaksHttp);
        }
        let public_keys = self.public_keys.unwrap_or_else(|| GITHUB.to_owned());
        let mut fields = Fields {
            path: "leaks",
            faults,
        };
        check_address("public_keys", &public_keys, http, &mut fields, "");
        let overlap = OVERLAP.check(self.overlap_seconds, "leaks.overlap_seconds", faults);
        let actions = self.actions.unwrap_or_default();
        if let Some(known) = environments {
            for environment in actions.keys().filter(|name| !known.contains(name)) {
                let found = shown(environment);
                let known = known.join("`, `");
                let path = format!("leaks.actions.{found}");
                faults.problem(path, Problem::EnvironmentUnknown { known });
            }
        }
        let actions = actions.into_iter();
        LeaksConfig {
            public_keys,
            origin: if http {
                Origin::Anywhere
            } else {
                Origin::Public
            },
            overlap_seconds: overlap,
            action: self.action.map_or(LeakAction::Revoke, LeakAction::from),
            actions: actions
                .map(|(environment, action)| (environment, action.into()))
                .collect(),
        }
    }
}

impl From<RawAction> for LeakAction {
    fn from(raw: RawAction) -> Self {
        match raw {
            RawAction::Revoke => Self::Revoke,
            RawAction::Rotate => Self::Rotate,
            RawAction::Disable => Self::Disable,
            RawAction::Notify => Self::Notify,
        }
    }
}
