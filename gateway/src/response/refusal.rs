//! Refusals that are said as an error of the function.

use std::fmt;

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
    /// The type of the error, which stands in the log of the platform.
    pub const fn error_type(self) -> &'static str {
        match self {
            Self::Unauthorized => "Unauthorized",
            Self::Failed => "Unavailable",
        }
    }

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
