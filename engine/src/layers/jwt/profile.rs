//! What kind of token is accepted (RFC 8725 sections 3.11 and 3.12), so that an id token, or a token made for another
//! purpose, is never taken for an access token.

use super::{
    claim_path::ClaimPath,
    config::RawProfile,
    facts::{Claims, claim_denial},
    shown::shown,
};
use crate::{
    denial::{Denial, Reason},
    layers::proof::Confirmation,
};

/// The kinds of tokens, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Profile {
    /// RFC 9068.
    AccessToken,
    /// `typ` is `JWT` or missing.
    Legacy,
    /// Access tokens of Cognito.
    CognitoAccess,
    /// Id tokens of Cognito.
    CognitoId,
    /// What an introspection server says of a token.
    Introspected,
}

impl From<RawProfile> for Profile {
    fn from(raw: RawProfile) -> Self {
        match raw {
            RawProfile::AccessToken => Self::AccessToken,
            RawProfile::Legacy => Self::Legacy,
            RawProfile::CognitoAccess => Self::CognitoAccess,
            RawProfile::CognitoId => Self::CognitoId,
        }
    }
}

impl Profile {
    /// Whether it is one of Cognito's.
    pub(super) const fn is_cognito(self) -> bool {
        matches!(self, Self::CognitoAccess | Self::CognitoId)
    }

    /// The scopes claim where none is configured.
    pub(super) fn scopes_claim(self) -> Option<ClaimPath> {
        match self {
            Self::AccessToken | Self::Legacy | Self::CognitoAccess | Self::Introspected => {
                Some(ClaimPath::top("scope"))
            }
            Self::CognitoId => None,
        }
    }

    /// The roles claim where none is configured.
    pub(super) fn roles_claim(self) -> Option<ClaimPath> {
        self.is_cognito().then(|| ClaimPath::top("cognito:groups"))
    }

    /// The client claim where none is configured.
    pub(super) const fn client_claim(self) -> &'static str {
        match self {
            Self::AccessToken | Self::Legacy | Self::CognitoAccess | Self::Introspected => {
                "client_id"
            }
            Self::CognitoId => "aud",
        }
    }

    /// Checks `typ` of the header. Media types are compared without regard to case, and `application/` may be left out
    /// (RFC 7515 section 4.1.9).
    pub(super) fn check_kind(self, kind: Option<&str>) -> Result<(), Denial> {
        let short = kind.map(|kind| match kind.split_at_checked("application/".len()) {
            Some((prefix, rest)) if prefix.eq_ignore_ascii_case("application/") => rest,
            _ => kind,
        });
        let (fits, expected) = match self {
            Self::AccessToken => (
                short.is_some_and(|kind| kind.eq_ignore_ascii_case("at+jwt")),
                "`at+jwt`",
            ),
            // RFC 9701 section 5: the kind of a signed answer.
            Self::Introspected => (
                short.is_some_and(|kind| kind.eq_ignore_ascii_case("token-introspection+jwt")),
                "`token-introspection+jwt`",
            ),
            Self::Legacy | Self::CognitoAccess | Self::CognitoId => (
                short.is_none_or(|kind| kind.eq_ignore_ascii_case("JWT")),
                "`JWT` or nothing",
            ),
        };
        if fits {
            return Ok(());
        }
        let found = kind.map_or_else(|| "missing".to_owned(), shown);
        Err(Denial::new(
            Reason::TokenType,
            format!("`typ` is {found}, expected {expected}"),
        ))
    }

    /// Checks the claims that make a token of this kind.
    pub(super) fn check_claims(self, claims: Claims<'_, '_>) -> Result<(), Denial> {
        match self {
            // RFC 9068 section 2.2; iss, exp and aud are demanded of every token.
            Self::AccessToken => {
                for name in ["sub", "client_id", "jti"] {
                    claims.required_text(name)?;
                }
                claims
                    .time("iat")?
                    .map(|_| ())
                    .ok_or_else(|| claim_denial("`iat` is missing, and `at+jwt` demands it"))
            }
            Self::Legacy => Ok(()),
            Self::CognitoAccess => token_use(claims, "access"),
            Self::CognitoId => token_use(claims, "id"),
            Self::Introspected => introspected(claims),
        }
    }

    /// Checks that a token that a server calls `DPoP` is bound to a key (RFC 9449 section 6.2); without, it would be good for
    /// whoever holds it.
    pub(super) fn check_binding(
        self,
        claims: Claims<'_, '_>,
        confirmation: Option<&Confirmation>,
    ) -> Result<(), Denial> {
        if self != Self::Introspected || matches!(confirmation, Some(Confirmation::Key(_))) {
            return Ok(());
        }
        match claims.text("token_type")? {
            Some(kind) if kind.eq_ignore_ascii_case("DPoP") => Err(Denial::new(
                Reason::TokenBound,
                "`token_type` is `DPoP`, and `cnf` names no key (`jkt`) that it is bound to",
            )),
            _ => Ok(()),
        }
    }
}

/// A server knows refresh tokens too, and says that they are active. `token_type` is a type of access tokens (RFC 7662
/// section 2.2, RFC 6749 section 7.1); `token_use` is what Ory and others say beside it.
fn introspected(claims: Claims<'_, '_>) -> Result<(), Denial> {
    for (name, accepted) in [
        ("token_type", &["Bearer", "DPoP"]),
        ("token_use", &["access_token", "access"]),
    ] {
        let Some(found) = claims.text(name)? else {
            continue;
        };
        if !accepted.iter().any(|one| found.eq_ignore_ascii_case(one)) {
            let detail = format!("`{name}` is {}, which no access token has", shown(found));
            return Err(Denial::new(Reason::TokenType, detail));
        }
    }
    Ok(())
}

/// AWS: Amazon Cognito, "Verifying JSON web tokens".
fn token_use(claims: Claims<'_, '_>, expected: &str) -> Result<(), Denial> {
    match claims.text("token_use")? {
        Some(found) if found == expected => Ok(()),
        found => Err(Denial::new(
            Reason::TokenType,
            format!(
                "`token_use` is {}, expected `{expected}`",
                found.map_or_else(|| "missing".to_owned(), shown)
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(profile: Profile, kind: Option<&str>, fits: bool) {
        assert_eq!(
            profile.check_kind(kind).is_ok(),
            fits,
            "{profile:?} {kind:?}"
        );
    }

    #[test]
    fn takes_access_tokens_by_their_media_type_in_any_case() {
        for kind in [
            "at+jwt",
            "AT+JWT",
            "application/at+jwt",
            "Application/At+Jwt",
        ] {
            check(Profile::AccessToken, Some(kind), true);
        }
    }

    #[test]
    fn refuses_tokens_of_another_kind() {
        for kind in [None, Some("JWT"), Some("id+jwt"), Some("at+jwt "), Some("")] {
            check(Profile::AccessToken, kind, false);
        }
        for profile in [Profile::Legacy, Profile::CognitoAccess, Profile::CognitoId] {
            for kind in [None, Some("JWT"), Some("jwt"), Some("application/jwt")] {
                check(profile, kind, true);
            }
            for kind in [
                "at+jwt",
                "dpop+jwt",
                "logout+jwt",
                "token-introspection+jwt",
                "secevent+jwt",
                "JOSE",
                "",
            ] {
                check(profile, Some(kind), false);
            }
        }
    }
}
