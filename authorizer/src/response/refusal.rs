//! Refusals that are said as an error of the function.

use std::fmt;

use lambda_runtime::Diagnostic;

/// An error of the function. It prints as exactly the text that the gateway sees, in `Debug` too, because the runtime
/// may print it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// 401. The text is the one that the gateway looks for; not a letter may be added.
    Unauthorized,
    /// 500. Says nothing; the log line says why.
    Failed,
}

impl Refusal {
    /// The text that the gateway sees as `errorMessage`.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Unauthorized => "Unauthorized",
            Self::Failed => "no decision",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for Refusal {}

impl From<Refusal> for Diagnostic {
    fn from(refusal: Refusal) -> Self {
        let error_type = match refusal {
            Refusal::Unauthorized => "Unauthorized",
            Refusal::Failed => "Unavailable",
        };
        Self {
            error_type: error_type.to_owned(),
            error_message: refusal.message().to_owned(),
        }
    }
}
