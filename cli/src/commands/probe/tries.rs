//! How each assumption is tried.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use super::{
    Outcome, Row,
    assumptions::Assumption,
    stage::{Seen, Stage},
};
use crate::{clock, exit::Failure};

/// How long a token may live that is waited for, in seconds.
const LONGEST_WAIT: i64 = 130;

/// What is tried with.
pub(super) struct Probe<'a> {
    pub(super) stage: &'a Stage,
    pub(super) credential: &'a str,
    pub(super) allowed: (&'a str, &'a str),
    pub(super) refused: (&'a str, &'a str),
    pub(super) default_endpoint: Option<&'a Stage>,
    pub(super) ending_token: Option<&'a str>,
    pub(super) burst: Option<u32>,
}

impl Probe<'_> {
    /// Tries one.
    pub(super) async fn try_one(&self, assumption: Assumption) -> Result<Row, Failure> {
        let outcome = match assumption {
            Assumption::NoCredential => status(&self.open(&[]).await?, |status| status == 401),
            Assumption::BadCredential => {
                let changed = changed(self.credential);
                status(&self.open(&[&changed]).await?, |status| status == 401)
            }
            Assumption::Allowed | Assumption::KeptAllow | Assumption::AllowedAfterDeny => {
                let seen = self.open(&[self.credential]).await?;
                // Whatever the backend says of a request that was let in is its own business.
                status(&seen, |status| !matches!(status, 401 | 403 | 429 | 500..))
            }
            Assumption::Refused | Assumption::RefusedAfterAllow => {
                let seen = self.closed("", self.refused.1).await?;
                status(&seen, |status| matches!(status, 403 | 429))
            }
            Assumption::TrailingSlash => {
                self.spelled(&format!("{}/", self.refused.1.trim_end_matches('/')))
                    .await?
            }
            Assumption::EncodedLetter => match encoded(self.refused.1) {
                Some(path) => self.spelled(&path).await?,
                None => Outcome::NotTried("the path has no letter".to_owned()),
            },
            Assumption::DoubledSlash => self.spelled(&format!("/{}", self.refused.1)).await?,
            Assumption::UnknownPath => self.spelled("/doorward-probe-of-nothing").await?,
            Assumption::TwoCredentials => {
                let seen = self.open(&[self.credential, self.credential]).await?;
                refused(&seen)
            }
            Assumption::Preflight => {
                let seen = self.stage.ask(("OPTIONS", self.allowed.1), &[]).await?;
                match (seen.is_in(), seen.allows_origin) {
                    (true, true) => Outcome::AsAssumed(shown(&seen)),
                    (true, false) => {
                        Outcome::Differs(format!("{}, without the header", seen.status))
                    }
                    (false, _) if seen.status == 404 => {
                        Outcome::NotTried("404: the API has no CORS".to_owned())
                    }
                    _ => Outcome::Differs(shown(&seen)),
                }
            }
            Assumption::RefusalWithCors => {
                let preflight = self.stage.ask(("OPTIONS", self.allowed.1), &[]).await?;
                let seen = self.open(&[]).await?;
                match (preflight.allows_origin, seen.allows_origin) {
                    (_, true) => Outcome::AsAssumed(shown(&seen)),
                    (true, false) => {
                        Outcome::Differs(format!("{}, without the header", seen.status))
                    }
                    (false, false) => Outcome::NotTried("the API has no CORS".to_owned()),
                }
            }
            Assumption::DefaultEndpoint => match self.default_endpoint {
                None => Outcome::NotTried("no --default-endpoint".to_owned()),
                Some(stage) => match stage.ask(self.allowed, &[self.credential]).await {
                    Ok(seen) => refused(&seen),
                    Err(failure) => Outcome::AsAssumed(failure.message),
                },
            },
            Assumption::EndsInTime => self.ends_in_time().await?,
            Assumption::OverLimit => self.over_limit().await?,
        };
        Ok(Row {
            assumption,
            outcome,
        })
    }

    async fn open(&self, credentials: &[&str]) -> Result<Seen, Failure> {
        self.stage.ask(self.allowed, credentials).await
    }

    async fn closed(&self, before: &str, path: &str) -> Result<Seen, Failure> {
        let path = format!("{before}{path}");
        self.stage
            .ask((self.refused.0, &path), &[self.credential])
            .await
    }

    async fn spelled(&self, path: &str) -> Result<Outcome, Failure> {
        Ok(refused(&self.closed("", path).await?))
    }

    async fn ends_in_time(&self) -> Result<Outcome, Failure> {
        let Some(token) = self.ending_token else {
            return Ok(Outcome::NotTried("no --ending-token".to_owned()));
        };
        let Some(ends) = end_of(token) else {
            return Err(Failure::usage("the ending token is no JWT with `exp`"));
        };
        let left = ends.saturating_sub(clock::wall().unix());
        if !(1..=LONGEST_WAIT).contains(&left) {
            let why = format!(
                "the ending token must end within {LONGEST_WAIT} seconds, it does in {left}"
            );
            return Err(Failure::usage(why));
        }
        let before = self.open(&[token]).await?;
        if !before.is_in() {
            let why = format!("{}: the ending token opens nothing", before.status);
            return Ok(Outcome::NotTried(why));
        }
        let wait = u64::try_from(left.saturating_add(2)).unwrap_or_default();
        tokio::time::sleep(Duration::from_secs(wait)).await;
        // Leeway: until then the token itself may be good, and a fresh answer with it.
        let after = self.open(&[token]).await?;
        Ok(if after.is_refused() {
            Outcome::AsAssumed(format!("{}, then {}", before.status, after.status))
        } else {
            Outcome::Differs(format!("still {} after its end", after.status))
        })
    }

    async fn over_limit(&self) -> Result<Outcome, Failure> {
        let Some(burst) = self.burst else {
            return Ok(Outcome::NotTried("no --burst".to_owned()));
        };
        for number in 1..=burst {
            let seen = self.open(&[self.credential]).await?;
            if seen.status == 429 {
                let what = format!("429 at request {number}");
                return Ok(if seen.retry_after {
                    Outcome::AsAssumed(what)
                } else {
                    Outcome::Differs(format!("{what}, without Retry-After"))
                });
            }
            if !seen.is_in() {
                return Ok(Outcome::Differs(format!(
                    "{} at request {number}",
                    seen.status
                )));
            }
        }
        Ok(Outcome::NotTried(format!(
            "{burst} requests are within the limit"
        )))
    }
}

fn status(seen: &Seen, fits: impl Fn(u16) -> bool) -> Outcome {
    if fits(seen.status) {
        Outcome::AsAssumed(shown(seen))
    } else {
        Outcome::Differs(shown(seen))
    }
}

fn refused(seen: &Seen) -> Outcome {
    if seen.is_refused() {
        Outcome::AsAssumed(shown(seen))
    } else {
        Outcome::Differs(shown(seen))
    }
}

fn shown(seen: &Seen) -> String {
    seen.status.to_string()
}

/// The credential with its last character but one changed: the last one of a signature may hold no more than unused bits.
fn changed(credential: &str) -> String {
    let mut characters: Vec<char> = credential.chars().collect();
    let at = characters.len().saturating_sub(2);
    if let Some(character) = characters.get_mut(at) {
        *character = if *character == 'A' { 'B' } else { 'A' };
    }
    characters.into_iter().collect()
}

/// The path with its last letter encoded.
fn encoded(path: &str) -> Option<String> {
    let (at, letter) = path
        .char_indices()
        .rfind(|(_, c)| c.is_ascii_alphabetic())?;
    let (before, rest) = path.split_at_checked(at)?;
    let (_, after) = rest.split_at_checked(1)?;
    Some(format!("{before}%{:02X}{after}", u32::from(letter)))
}

/// `exp` of a token behind its scheme. Nothing is verified: the stage does.
fn end_of(credential: &str) -> Option<i64> {
    let token = credential.rsplit(' ').next()?;
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&payload).ok()?;
    claims.get("exp")?.as_i64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_credential_is_another_one() {
        assert_eq!(changed("Bearer aAb"), "Bearer aBb");
        assert_eq!(changed("x"), "A");
        assert_eq!(changed(""), "");
    }

    #[test]
    fn one_letter_is_encoded() {
        assert_eq!(encoded("/admin").as_deref(), Some("/admi%6E"));
        assert_eq!(encoded("/a/1").as_deref(), Some("/%61/1"));
        assert_eq!(encoded("/1"), None);
    }
}
