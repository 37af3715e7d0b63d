//! How each assumption is tried.

use std::sync::OnceLock;

use super::{
    Outcome,
    assumptions::Assumption,
    credential::Credential,
    ending::Ended,
    seen::{By, Seen},
    spellings,
    stage::Stage,
};
use crate::exit::Failure;

/// What is tried with.
pub(super) struct Probe<'a> {
    pub(super) stage: &'a Stage,
    pub(super) credential: &'a Credential,
    pub(super) allowed: (&'a str, &'a str),
    pub(super) refused: (&'a str, &'a str),
    /// A route that the credential opens, but not from here; or why there is none.
    pub(super) elsewhere: Result<(&'a str, &'a str), &'a str>,
    /// The same stage, called without the client's certificate.
    pub(super) without_certificate: Option<&'a Stage>,
    pub(super) default_endpoint: Option<&'a Stage>,
    pub(super) ending_token: Option<&'a Credential>,
    /// How far the clocks of issuer and gateway may differ, in seconds.
    pub(super) leeway: i64,
    /// How long the gateway keeps an answer, in seconds.
    pub(super) ttl: Option<i64>,
    pub(super) burst: Option<u32>,
    /// What was seen of the ending token.
    pub(super) ended: OnceLock<Ended>,
}

impl Probe<'_> {
    /// Tries one.
    pub(super) async fn try_one(&self, assumption: Assumption) -> Result<Outcome, Failure> {
        Ok(match assumption {
            Assumption::NoCredential => {
                let seen = self.open(&[]).await?;
                as_assumed_where(seen.status == 401, &seen)
            }
            Assumption::BadCredential => {
                let seen = self.open(&[&self.credential.changed()]).await?;
                as_assumed_where(seen.status == 401, &seen)
            }
            Assumption::MalformedCredential => self.malformed().await?,
            Assumption::ForeignPlace => self.foreign_place().await?,
            Assumption::Allowed | Assumption::KeptAllow => {
                let seen = self.open(&[self.credential.header()]).await?;
                as_assumed_where(seen.is_in(), &seen)
            }
            Assumption::RefusedAfterAllow => refused(&self.closed(self.refused.1).await?),
            Assumption::Refused | Assumption::RefusedAgain => {
                self.fresh(self.refused, refused).await?
            }
            Assumption::AllowedAfterDeny => {
                let is_in = |seen: &Seen| as_assumed_where(seen.is_in(), seen);
                self.fresh(self.allowed, is_in).await?
            }
            Assumption::SourceAddress => match self.elsewhere {
                Err(why) => Outcome::NotTried(why.to_owned()),
                Ok(route) => {
                    let credentials = [self.credential.header()];
                    refused(&self.stage.ask(route, &credentials).await?)
                }
            },
            Assumption::TrailingSlash
            | Assumption::EncodedLetter
            | Assumption::EncodedSlash
            | Assumption::DoubledSlash
            | Assumption::OtherCase => self.spelled(assumption).await?,
            Assumption::UnknownPath => {
                let seen = self.closed("/doorward-probe-of-nothing").await?;
                as_assumed_where(seen.by != By::Backend, &seen)
            }
            Assumption::TwoCredentials => {
                let both = [self.credential.header(), self.credential.header()];
                let seen = self.open(&both).await?;
                as_assumed_where(seen.by != By::Backend, &seen)
            }
            Assumption::Preflight => self.preflight().await?,
            Assumption::RefusalWithCors => self.refusal_with_cors().await?,
            Assumption::Challenge => {
                let seen = self.open(&[]).await?;
                match (seen.by == By::Credential, seen.challenges()) {
                    (false, _) => Outcome::NotTried(seen.shown()),
                    (true, true) => Outcome::AsAssumed(seen.shown()),
                    (true, false) if seen.is_of_rest() => without_header(&seen),
                    (true, false) => Outcome::NotTried(
                        "the refusals of an HTTP API cannot be changed".to_owned(),
                    ),
                }
            }
            Assumption::NoCertificate => match self.without_certificate {
                None => Outcome::NotTried("no --certificate".to_owned()),
                Some(stage) => match self.asked_at(stage, &[self.credential.header()]).await {
                    Ok(seen) => Outcome::Differs(seen.shown()),
                    // The same address has answered whoever has a certificate.
                    Err(failure) => Outcome::AsAssumed(failure.message),
                },
            },
            Assumption::DefaultEndpoint => self.default_endpoint().await?,
            Assumption::EndsInTime => self.ends_in_time().await?,
            Assumption::EndsWithTtl => self.ends_with_ttl().await?,
            Assumption::OverLimit => self.over_limit().await?,
        })
    }

    /// Asks for the allowed route.
    pub(super) async fn open(&self, credentials: &[&str]) -> Result<Seen, Failure> {
        self.stage.ask(self.allowed, credentials).await
    }

    /// The same at another address.
    async fn asked_at(&self, stage: &Stage, credentials: &[&str]) -> Result<Seen, Failure> {
        stage.ask(self.allowed, credentials).await
    }

    /// A scheme alone, two words behind it, and the credential with something behind it.
    async fn malformed(&self) -> Result<Outcome, Failure> {
        let followed = format!("{} and-more", self.credential.header());
        let mut answers = Vec::new();
        for (name, value) in [
            ("a scheme alone", "Bearer"),
            ("two words", "Bearer one two"),
            ("a word behind", followed.as_str()),
        ] {
            answers.push((name, self.open(&[value]).await?));
        }
        Ok(all_unauthenticated(&answers))
    }

    /// In headers that some program or other reads. Not in the query, which stands in logs.
    async fn foreign_place(&self) -> Result<Outcome, Failure> {
        let header = self.credential.header();
        let cookie = format!("Authorization={}", self.credential.bare());
        let mut answers = Vec::new();
        for (name, value) in [
            ("X-Authorization", header),
            ("Proxy-Authorization", header),
            ("Cookie", cookie.as_str()),
        ] {
            let seen = self.stage.ask_with(self.allowed, &[(name, value)]).await?;
            answers.push((name, seen));
        }
        Ok(all_unauthenticated(&answers))
    }

    /// Asks for another path with the method of the refused route.
    async fn closed(&self, path: &str) -> Result<Seen, Failure> {
        let credentials = [self.credential.header()];
        self.stage.ask((self.refused.0, path), &credentials).await
    }

    /// Asks with a spelling of the credential under which nothing was kept before the refused route was asked for.
    async fn fresh(
        &self,
        route: (&str, &str),
        judged: impl Fn(&Seen) -> Outcome,
    ) -> Result<Outcome, Failure> {
        let Some([tried, fresh]) = self.credential.respelled() else {
            let why = "the credential has no scheme that could be spelled otherwise";
            return Ok(Outcome::NotTried(why.to_owned()));
        };
        let taken = self.open(&[tried]).await?;
        if !taken.is_in() {
            let why = format!(
                "{}: the stage takes no other spelling of the scheme, so that every answer may be a kept one",
                taken.shown()
            );
            return Ok(Outcome::NotTried(why));
        }
        Ok(judged(&self.stage.ask(route, &[fresh]).await?))
    }

    async fn spelled(&self, assumption: Assumption) -> Result<Outcome, Failure> {
        let mut answers = Vec::new();
        for path in spellings::of(assumption, self.refused.1) {
            let seen = self.closed(&path).await?;
            answers.push((path, seen));
        }
        Ok(spellings::judged(&answers))
    }

    async fn preflight(&self) -> Result<Outcome, Failure> {
        let seen = self.stage.ask(("OPTIONS", self.allowed.1), &[]).await?;
        Ok(match (seen.status < 400, seen.allows_origin()) {
            (true, true) => Outcome::AsAssumed(seen.shown()),
            (true, false) => without_header(&seen),
            (false, _) if seen.by == By::NoRoute => {
                Outcome::NotTried(format!("{}: the API has no CORS", seen.shown()))
            }
            (false, _) => Outcome::Differs(seen.shown()),
        })
    }

    async fn refusal_with_cors(&self) -> Result<Outcome, Failure> {
        let preflight = self.stage.ask(("OPTIONS", self.allowed.1), &[]).await?;
        let seen = self.open(&[]).await?;
        Ok(match (preflight.allows_origin(), seen.allows_origin()) {
            (_, true) => Outcome::AsAssumed(seen.shown()),
            (true, false) => without_header(&seen),
            (false, false) => Outcome::NotTried("the API has no CORS".to_owned()),
        })
    }

    /// Asks there with the credential and without: whoever is let in, or told to prove who they are, has found it open.
    async fn default_endpoint(&self) -> Result<Outcome, Failure> {
        let Some(stage) = self.default_endpoint else {
            return Ok(Outcome::NotTried("no --default-endpoint".to_owned()));
        };
        let mut said = Vec::new();
        for credentials in [&[self.credential.header()][..], &[]] {
            match self.asked_at(stage, credentials).await {
                Ok(seen) if matches!(seen.by, By::Backend | By::Credential) => {
                    return Ok(Outcome::Differs(seen.shown()));
                }
                Ok(seen) => said.push(seen.shown()),
                Err(failure) => said.push(failure.message),
            }
        }
        said.dedup();
        Ok(Outcome::AsAssumed(said.join(", ")))
    }

    async fn over_limit(&self) -> Result<Outcome, Failure> {
        let Some(burst) = self.burst else {
            return Ok(Outcome::NotTried("no --burst".to_owned()));
        };
        for number in 1..=burst {
            let seen = self.open(&[self.credential.header()]).await?;
            if seen.status == 429 {
                let what = format!("429 at request {number}");
                return Ok(if seen.retries_after() {
                    Outcome::AsAssumed(what)
                } else {
                    Outcome::Differs(format!("{what}, without Retry-After"))
                });
            }
            if !seen.is_in() {
                let what = format!("{} at request {number}", seen.shown());
                return Ok(Outcome::Differs(what));
            }
        }
        let why = format!("{burst} requests are within the limit");
        Ok(Outcome::NotTried(why))
    }
}

fn as_assumed_where(fits: bool, seen: &Seen) -> Outcome {
    if fits {
        Outcome::AsAssumed(seen.shown())
    } else {
        Outcome::Differs(seen.shown())
    }
}

/// Whether the policy refused. That the backend did is not asked of it, and may look the same.
fn refused(seen: &Seen) -> Outcome {
    match seen.by {
        By::Unclear => Outcome::NotTried(seen.shown()),
        _ => as_assumed_where(seen.by == By::Policy, seen),
    }
}

/// Whether all were told to prove who they are.
fn all_unauthenticated(answers: &[(&str, Seen)]) -> Outcome {
    let shown: Vec<_> = answers
        .iter()
        .map(|(name, seen)| format!("{name} {}", seen.shown()))
        .collect();
    if answers.iter().all(|(_, seen)| seen.status == 401) {
        Outcome::AsAssumed(shown.join(", "))
    } else {
        Outcome::Differs(shown.join(", "))
    }
}

fn without_header(seen: &Seen) -> Outcome {
    Outcome::Differs(format!("{}, without the header", seen.shown()))
}
