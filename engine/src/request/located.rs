//! Where a request goes, in the one spelling that rules are matched against.

use std::fmt;

use super::{Request, Target, Verb, path::NormalPath};
use crate::denial::{Denial, Reason};

/// A [`Target`] with its path normalised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Located {
    /// A method on a path.
    Http {
        /// The HTTP method.
        verb: Verb,
        /// The path.
        path: NormalPath,
    },
    /// Opening a WebSocket connection.
    Connect,
    /// A GraphQL operation.
    GraphQl,
}

impl Located {
    /// Normalises the target of `request`. Other spellings of the path in the event are only looked at for what is
    /// refused: they may hold the stage or the base path.
    ///
    /// # Errors
    /// [`Reason::PathRefused`] when one of the paths holds something that must not be guessed at.
    pub fn of(request: &Request) -> Result<Self, Denial> {
        let target = match &request.target {
            Target::Http { path, .. } => Some(path),
            Target::Connect | Target::GraphQl => None,
        };
        // What is written like the target is read with it.
        let others = request.raw_paths.iter();
        for raw in others.filter(|raw| Some(*raw) != target) {
            normal(raw)?;
        }
        Ok(match &request.target {
            Target::Http { verb, path } => Self::Http {
                verb: verb.clone(),
                path: normal(path)?,
            },
            Target::Connect => Self::Connect,
            Target::GraphQl => Self::GraphQl,
        })
    }
}

fn normal(raw: &str) -> Result<NormalPath, Denial> {
    NormalPath::parse(raw).map_err(|fault| Denial::new(Reason::PathRefused, fault.to_string()))
}

impl fmt::Display for Located {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http { verb, path } => write!(f, "`{} {path}`", verb.as_str()),
            Self::Connect => f.write_str("`$connect`"),
            Self::GraphQl => f.write_str("`$graphql`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::request;

    #[test]
    fn normalises_the_target_and_looks_at_every_spelling() {
        let mut asked = request(&[]);
        asked.target = Target::Http {
            verb: Verb::parse("GET").unwrap(),
            path: "/a//b/".to_owned(),
        };
        assert_eq!(Located::of(&asked).unwrap().to_string(), "`GET /a/b`");
        asked.raw_paths = vec!["/prod/a%2fb".to_owned()];
        assert_eq!(
            Located::of(&asked).unwrap_err().reason(),
            Reason::PathRefused
        );
    }
}
