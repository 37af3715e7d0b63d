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
    /// Keys in turn, as many as are remembered.
    KeysInTurn,
    /// Keys are not remembered: each is read from a store in memory.
    KeyUncached,
    /// A key with a wrong letter.
    Mistyped,
    /// A good token from an address that is denied.
    Address,
}

impl Scene {
    /// All but [`Scene::KeysInTurn`], which is another one with each size.
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
            Self::KeysInTurn => "API keys in turn, cached".to_owned(),
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

    /// What caller `number` asks, counted round.
    ///
    /// # Errors
    /// When there are no credentials for it.
    pub fn request(self, credentials: &Credentials, number: usize) -> anyhow::Result<Request> {
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
            Self::KeyUncached | Self::KeysInTurn => request(&key(number)?, ADDRESS),
            Self::Mistyped => {
                let mut mistyped = key(0)?;
                let last = mistyped.pop();
                mistyped.push(if last == Some('a') { 'b' } else { 'a' });
                request(&mistyped, ADDRESS)
            }
            Self::Address => request(&token(Algorithm::Rs256, 0)?, DENIED),
        }
    }

    /// How many callers there are, of those that `credentials` holds.
    fn callers(self, size: Size, credentials: &Credentials) -> usize {
        match self {
            Self::New(_) | Self::Large => {
                credentials.signed.first().map_or(0, |one| one.tokens.len())
            }
            Self::KeyUncached => credentials.keys.len(),
            Self::KeysInTurn => credentials.keys.len().min(size.cache_entries as usize),
            Self::Seen | Self::KeyCached | Self::Mistyped | Self::Address => 1,
        }
    }

    /// Everything for this scene.
    ///
    /// # Errors
    /// See [`House::build`].
    pub fn stage(
        self,
        credentials: &Credentials,
        stopwatch: fn() -> Duration,
    ) -> anyhow::Result<Staged> {
        Staged::new(self, self.size(), credentials, stopwatch)
    }
}

/// A scene that is ready to be played.
pub struct Staged {
    scene: Scene,
    house: House,
    requests: Vec<Request>,
}

impl Staged {
    /// The house and the requests of all callers.
    ///
    /// # Errors
    /// See [`House::build`].
    pub fn new(
        scene: Scene,
        size: Size,
        credentials: &Credentials,
        stopwatch: fn() -> Duration,
    ) -> anyhow::Result<Self> {
        let callers = scene.callers(size, credentials);
        let requests = (0..callers).map(|number| scene.request(credentials, number));
        Ok(Self {
            scene,
            house: House::build(size, credentials, stopwatch)?,
            requests: requests.collect::<anyhow::Result<_>>()?,
        })
    }

    /// How many different callers there are.
    pub const fn callers(&self) -> usize {
        self.requests.len()
    }

    /// Decides request `number`, counted round.
    ///
    /// # Errors
    /// When something else comes of it than has to.
    pub fn play(&self, number: usize) -> anyhow::Result<Verdict> {
        let index = number.checked_rem(self.requests.len());
        let request = index.and_then(|index| self.requests.get(index));
        self.decide(request.context("no request")?)
    }

    /// Decides a request of this scene.
    ///
    /// # Errors
    /// When something else comes of it than has to.
    pub fn decide(&self, request: &Request) -> anyhow::Result<Verdict> {
        let verdict = self.house.decide(request)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{bare::Bare, credentials::ALGORITHMS, house::still};

    #[test]
    fn every_scene_comes_out_as_it_has_to_and_nothing_else_passes() {
        let credentials = Credentials::make(2, 2).unwrap();
        for scene in Scene::ALL.into_iter().chain([Scene::KeysInTurn]) {
            let mut staged = scene.stage(&credentials, still).unwrap();
            for number in 0..4 {
                staged.play(number).unwrap();
            }
            staged.scene = if scene.is_allowed() {
                Scene::Mistyped
            } else {
                Scene::KeyCached
            };
            assert!(staged.play(0).is_err(), "{}", scene.name());
        }
    }

    #[test]
    fn the_bare_check_refuses_a_signature_of_another_token() {
        let mut credentials = Credentials::make(2, 0).unwrap();
        for (algorithm, signed) in ALGORITHMS.into_iter().zip(&mut credentials.signed) {
            Bare::of(algorithm, signed).unwrap().check(1).unwrap();
            let (_, signature) = signed.tokens[0].rsplit_once('.').unwrap();
            let (text, _) = signed.tokens[1].rsplit_once('.').unwrap();
            signed.tokens[1] = format!("{text}.{signature}");
            let forged = Bare::of(algorithm, signed).unwrap();
            assert!(forged.check(1).is_err(), "{}", algorithm.name());
        }
    }

    #[test]
    fn a_house_holds_as_many_of_each_as_was_asked_for() {
        let size = Size {
            routes: 30,
            ranges: 300,
            issuers: 3,
            ..Size::SMALL
        };
        let text = size.text();
        let count = |what: &str| text.matches(what).count();
        assert_eq!(
            (count("[[routes]]"), count("/24'"), count("[[issuers]]")),
            (30, 300, 3)
        );
        assert!(text.contains("'10.2.86.0/24'") && !text.contains("10.2.85."));
        let credentials = Credentials::make(1, 1).unwrap();
        let new = Scene::New(Algorithm::Es256);
        Staged::new(new, size, &credentials, still)
            .unwrap()
            .play(0)
            .unwrap();
    }
}
