//! What callers do, and what has to come of it.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use doorward_engine::{Decision, Request, Verdict, layers::jwt::Algorithm};

use crate::{
    credentials::Credentials,
    house::{ADDRESS, DENIED, House, Size, request},
};

/// One kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scene {
    /// Each token new, with 10 routes.
    New(Algorithm),
    /// Each token new, with 500 routes.
    Large,
    /// The same token again and again.
    Seen,
    /// The same key again and again.
    KeyCached,
    /// Keys are not remembered: each is read from a store in memory.
    KeyUncached,
    /// A key with a wrong letter.
    Mistyped,
    /// A good token from an address that is denied.
    Address,
}

impl Scene {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::New(Algorithm::Rs256),
        Self::New(Algorithm::Es256),
        Self::New(Algorithm::Ed25519),
        Self::Large,
        Self::Seen,
        Self::KeyCached,
        Self::KeyUncached,
        Self::Mistyped,
        Self::Address,
    ];

    /// Its name in results.
    pub fn name(self) -> String {
        match self {
            Self::New(algorithm) => format!("{}, each token new", algorithm.name()),
            Self::Large => "500 routes: RS256, each token new".to_owned(),
            Self::Seen => "RS256, a token seen before".to_owned(),
            Self::KeyCached => "API key, cached".to_owned(),
            Self::KeyUncached => "API key, read from memory".to_owned(),
            Self::Mistyped => "refused: a mistyped key".to_owned(),
            Self::Address => "refused: an address".to_owned(),
        }
    }

    /// The algorithm of the signature that is checked in each call, where one is.
    pub const fn checks(self) -> Option<Algorithm> {
        match self {
            Self::New(algorithm) => Some(algorithm),
            Self::Large => Some(Algorithm::Rs256),
            _ => None,
        }
    }

    const fn size(self) -> Size {
        let small = Size::SMALL;
        match self {
            Self::Large => Size {
                routes: 500,
                ..small
            },
            Self::KeyUncached => Size {
                cache_seconds: 0,
                ..small
            },
            _ => small,
        }
    }

    const fn is_allowed(self) -> bool {
        !matches!(self, Self::Mistyped | Self::Address)
    }

    fn request(self, credentials: &Credentials, number: usize) -> anyhow::Result<Request> {
        let of = |all: &[String], number: usize| {
            let index = number.checked_rem(all.len()).unwrap_or_default();
            all.get(index).cloned().context("no credentials")
        };
        let token = |algorithm, number| {
            let signed = credentials.of(algorithm).context("no tokens")?;
            Ok::<_, anyhow::Error>(format!("Bearer {}", of(&signed.tokens, number)?))
        };
        let key =
            |number| Ok::<_, anyhow::Error>(format!("ApiKey {}", of(&credentials.keys, number)?));
        match self {
            Self::New(algorithm) => request(&token(algorithm, number)?, ADDRESS),
            Self::Large => request(&token(Algorithm::Rs256, number)?, ADDRESS),
            Self::Seen => request(&token(Algorithm::Rs256, 0)?, ADDRESS),
            Self::KeyCached => request(&key(0)?, ADDRESS),
            Self::KeyUncached => request(&key(number)?, ADDRESS),
            Self::Mistyped => {
                let mut mistyped = key(0)?;
                let last = mistyped.pop();
                mistyped.push(if last == Some('a') { 'b' } else { 'a' });
                request(&mistyped, ADDRESS)
            }
            Self::Address => request(&token(Algorithm::Rs256, 0)?, DENIED),
        }
    }

    /// The house and all requests, one for each of the credentials.
    ///
    /// # Errors
    /// See [`House::build`].
    pub fn stage(
        self,
        credentials: &Credentials,
        stopwatch: fn() -> Duration,
    ) -> anyhow::Result<Staged> {
        let requests = (0..credentials.keys.len()).map(|number| self.request(credentials, number));
        Ok(Staged {
            scene: self,
            house: House::build(self.size(), credentials, stopwatch)?,
            requests: requests.collect::<anyhow::Result<_>>()?,
        })
    }
}

/// A scene that is ready to be played.
pub struct Staged {
    scene: Scene,
    house: House,
    requests: Vec<Request>,
}

impl Staged {
    /// Decides request `number`, counted round.
    ///
    /// # Errors
    /// When something else comes of it than has to.
    pub fn play(&self, number: usize) -> anyhow::Result<Verdict> {
        let index = number.checked_rem(self.requests.len());
        let request = index.and_then(|index| self.requests.get(index));
        let verdict = self.house.decide(request.context("no request")?)?;
        let is_allowed = matches!(verdict.decision, Decision::Allow(_));
        ensure!(
            is_allowed == self.scene.is_allowed(),
            "{}: {:?}",
            self.scene.name(),
            verdict.decision
        );
        Ok(verdict)
    }
}
