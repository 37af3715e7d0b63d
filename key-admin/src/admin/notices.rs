//! Of what is told of keys by themselves.

use doorward_engine::{layers::api_key::ApiKeysConfig, usage::UsageMode};

use super::KeyAdmin;

/// When somebody is told of keys by themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Notices {
    /// How many days before its end a key expires soon.
    pub(crate) before_expiry: Vec<u32>,
    /// After how many days without a use a key is unused.
    pub(crate) unused_after: Option<u32>,
}

impl From<&ApiKeysConfig> for Notices {
    fn from(config: &ApiKeysConfig) -> Self {
        Self {
            before_expiry: config.expiry_notice_days.clone(),
            unused_after: config.unused_after_days,
        }
    }
}

impl KeyAdmin {
    /// When somebody is told. Where uses are not counted, nobody knows which keys are unused.
    pub(crate) fn notices(&self) -> Notices {
        let counts = self.usage.is_some() && self.usage_mode != UsageMode::Off;
        Notices {
            unused_after: self.notices.unused_after.filter(|_| counts),
            before_expiry: self.notices.before_expiry.clone(),
        }
    }

    #[cfg(test)]
    pub(crate) fn with_notices(self, notices: Notices) -> Self {
        Self { notices, ..self }
    }

    /// The counts of uses.
    pub(crate) fn usage_reader(&self) -> Option<&dyn doorward_keys::UsageReader> {
        self.usage.as_deref()
    }
}
