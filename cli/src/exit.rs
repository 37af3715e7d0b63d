//! The exit codes of `doorward`, in one place.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | done; the answer is yes |
//! | 1 | done; the answer is no: the configuration has faults, the request would be refused, no such key, the change is refused |
//! | 2 | the command line or a file that it names cannot be understood |
//! | 3 | something that is needed does not work: a port, the table, the network, the file system |

use std::process::ExitCode;

/// How a command that did not succeed ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The answer is no.
    No,
    /// The command line or a file that it names cannot be understood.
    Usage,
    /// Something that is needed does not work.
    Unavailable,
}

impl Exit {
    /// The code.
    pub const fn code(self) -> u8 {
        match self {
            Self::No => 1,
            Self::Usage => 2,
            Self::Unavailable => 3,
        }
    }
}

/// Why a command did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// How it ends.
    pub exit: Exit,
    /// One line for standard error; empty when everything has been said.
    pub message: String,
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "takes errors as `map_err` hands them over"
)]
impl Failure {
    /// The answer is no, and everything has been said.
    pub const fn no() -> Self {
        Self {
            exit: Exit::No,
            message: String::new(),
        }
    }

    /// The answer is no, because of `message`.
    pub fn refused(message: impl ToString) -> Self {
        Self {
            exit: Exit::No,
            message: message.to_string(),
        }
    }

    /// The command line or a file cannot be understood.
    pub fn usage(message: impl ToString) -> Self {
        Self {
            exit: Exit::Usage,
            message: message.to_string(),
        }
    }

    /// Something that is needed does not work.
    pub fn unavailable(message: impl ToString) -> Self {
        Self {
            exit: Exit::Unavailable,
            message: message.to_string(),
        }
    }
}

impl From<&Failure> for ExitCode {
    fn from(failure: &Failure) -> Self {
        Self::from(failure.exit.code())
    }
}
