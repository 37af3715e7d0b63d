//! Why a command was not done.

use doorward_keys::{KeyId, StoreError, lifecycle::Refusal};

use crate::entropy::EntropyError;

/// One thing that is wrong with a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The field, such as `scopes[2]`; empty for the command as a whole.
    pub field: String,
    /// What is wrong and what would be right: lower case, one line, no period.
    pub message: String,
}

/// Why a command was not done. `Display` is for the log; [`AdminError::detail`] is what the caller is told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdminError {
    /// The command cannot be understood; all its faults.
    #[error("the request is not valid: {}", joined(.0))]
    Invalid(Vec<Fault>),
    /// The caller may not do this.
    #[error("{0}")]
    Forbidden(String),
    /// There is no such thing here, or the caller may not know of it.
    #[error("there is no {0}")]
    NotFound(String),
    /// The key cannot change in this way.
    #[error("{0}")]
    Refused(Refusal),
    /// Somebody else was faster.
    #[error("the key has changed in the meantime ({0}); look at it again and repeat the request")]
    Conflict(String),
    /// The idempotency key belongs to another request.
    #[error("the idempotency key was used for a request with other content; choose another")]
    IdempotencyKeyUsed,
    /// The caller insists on a version that has passed (RFC 9110 section 13.1.1).
    #[error("{0}; look at the key again and repeat the request with the `ETag` of that answer")]
    PreconditionFailed(String),
    /// The path is there, but not with this method; the methods that are.
    #[error("this path does not have the method; there is {0}")]
    MethodNotAllowed(String),
    /// The store does not serve. May pass.
    #[error("{0}")]
    Unavailable(String),
    /// The store holds something unreadable.
    #[error("{0}")]
    Corrupt(String),
}

impl AdminError {
    /// There is no key `id`, or it is not the caller's.
    pub(crate) fn no_key(id: &KeyId) -> Self {
        Self::NotFound(format!("key `{id}`"))
    }

    /// One fault of one field.
    pub(crate) fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![Fault {
            field: field.to_owned(),
            message: message.into(),
        }])
    }

    /// The kind of the error in one word, for machines. It never changes.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid",
            Self::Forbidden(_) => "forbidden",
            Self::NotFound(_) => "not_found",
            Self::Refused(_) => "refused",
            Self::Conflict(_) => "conflict",
            Self::IdempotencyKeyUsed => "idempotency_key_used",
            Self::PreconditionFailed(_) => "precondition_failed",
            Self::MethodNotAllowed(_) => "method_not_allowed",
            Self::Unavailable(_) => "unavailable",
            Self::Corrupt(_) => "corrupt",
        }
    }

    /// The error as the caller is told: what they can do something about in full, and of ours the kind only.
    pub fn detail(&self) -> String {
        match self {
            Self::Unavailable(_) => {
                "the key store did not answer, and a change may have been made or not; repeat the request, with the same \
                 idempotency key if it had one"
                    .to_owned()
            }
            Self::Corrupt(_) => {
                "a stored item cannot be read; the log of key administration names it".to_owned()
            }
            Self::Invalid(_) => {
                "the request is not valid; correct what `faults` names, and send it again".to_owned()
            }
            other => other.to_string(),
        }
    }
}

impl From<StoreError> for AdminError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(what) => Self::Conflict(what),
            StoreError::Unavailable(_) => Self::Unavailable(error.to_string()),
            StoreError::Corrupt(_) => Self::Corrupt(error.to_string()),
        }
    }
}

impl From<EntropyError> for AdminError {
    fn from(error: EntropyError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

fn joined(faults: &[Fault]) -> String {
    let lines = faults.iter().map(|fault| match fault.field.as_str() {
        "" => fault.message.clone(),
        field => format!("`{field}` {}", fault.message),
    });
    lines.collect::<Vec<_>>().join("; ")
}
