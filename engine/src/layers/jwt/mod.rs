//! JSON Web Tokens of the configured issuers: a token goes in, a [`Subject`](crate::identity::Subject) or a
//! [`Denial`](crate::Denial) comes out.
//!
//! # What is checked, in this order
//!
//! 1. **Form** (RFC 7515 section 7.1, RFC 7519 section 7.2). At most `tokens.max_bytes` bytes, or
//!    [`TokenTooLong`](Reason::TokenTooLong). Three parts of canonical base64url; header and payload are strict JSON: one
//!    object and nothing around it, no member twice at any depth, at most 32 levels. Anything else, an encrypted token, a
//!    token in a token, or a header member of the wrong type is [`TokenMalformed`](Reason::TokenMalformed).
//! 2. **Extensions.** `crit` and `b64` are [`TokenCritical`](Reason::TokenCritical); none is understood. `jwk`, `jku`,
//!    `x5u` and `x5c` are never read.
//! 3. **Issuer.** `iss`, unverified, chooses the issuer by exact text. Another, or none, is
//!    [`TokenIssuer`](Reason::TokenIssuer), without any fetch.
//! 4. **Algorithm.** `alg` must be on the issuer's list, or [`TokenAlgorithm`](Reason::TokenAlgorithm). `none` and
//!    symmetric algorithms cannot be configured.
//! 5. **Key.** `kid` decides alone; without it exactly one key must fit. A key that is not for signatures, of another type
//!    or curve, bound to another algorithm, of the wrong size, or one of two different keys under one name is
//!    [`TokenKeyUnsuitable`](Reason::TokenKeyUnsuitable), and no other key is tried. A key that is not there is
//!    [`TokenKeyUnknown`](Reason::TokenKeyUnknown); a set that is not there [`KeySetUnavailable`](Reason::KeySetUnavailable).
//!    Before anything is fetched for a single token its claims are looked at: one that they condemn gets the reason below.
//! 6. **Signature**, or [`TokenSignature`](Reason::TokenSignature).
//! 7. **Kind.** `typ`, and `token_use` for Cognito, as the profile says, or [`TokenType`](Reason::TokenType).
//! 8. **Times.** Now is before `exp` + leeway ([`TokenExpired`](Reason::TokenExpired)), not before `nbf` - leeway and
//!    `iat` - leeway ([`TokenNotYetValid`](Reason::TokenNotYetValid)), and `exp` - `iat` is at most
//!    `max_lifetime_seconds` ([`TokenLifetime`](Reason::TokenLifetime)). Fractions of seconds are cut off.
//! 9. **Audience**, and the client where `client_ids` are configured, by exact text, or
//!    [`TokenAudience`](Reason::TokenAudience).
//! 10. **Binding.** What `cnf` binds the token to is read here and checked in [`crate::layers::proof`]; a binding that is not
//!     understood is [`TokenBound`](Reason::TokenBound).
//! 11. **Claims.** What the profile and `required_claims` demand is there, and every claim that is read has its type and
//!     its one configured form, or [`TokenClaim`](Reason::TokenClaim). A wrong type never counts as absent.
//!
//! # Settings
//!
//! The fields of [`RawIssuer`]; all are checked by [`IssuerConfig::check_all`], all faults at once. Recipes:
//!
//! | issuer | profile | claims |
//! |---|---|---|
//! | RFC 9068 | `at+jwt` | as they are |
//! | Auth0 | `at+jwt` (dialect `rfc9068_profile`) or `legacy` | `scopes = "permissions"` with RBAC, `client_id = "azp"` for `legacy` |
//! | Entra | `legacy` | `scopes = "scp"`, `roles = "roles"`, `tenant = "tid"`, `client_id = "azp"` (v1: `appid`) |
//! | Keycloak | `legacy`, `required_claims = { typ = ["Bearer"] }` | `roles = "realm_access.roles"`, `client_id = "azp"` |
//! | Okta | `legacy` | `scopes = "scp"`, `scope_format = "list"`, `client_id = "cid"` |
//! | Cognito | `cognito_access` or `cognito_id`, with `client_ids` | as they are |
//!
//! ```
//! use doorward_engine::{config::Faults, layers::jwt::{IssuerConfig, RawIssuer}};
//!
//! let raw: RawIssuer = toml::from_str(r#"
//!     issuer = "https://acme.example"
//!     algorithms = ["RS256", "HS256"]
//! "#)?;
//! let mut faults = Faults::default();
//! assert!(IssuerConfig::check_all(vec![raw], &|_| Err("no files".into()), &mut faults).is_empty());
//! let (faults, _) = faults.into_parts();
//! assert_eq!(faults[0].path, "issuers[0].algorithms[1]");
//! assert_eq!(faults[1].path, "issuers[0].audiences");
//! # Ok::<(), toml::de::Error>(())
//! ```
//!
//! # Caveats
//!
//! - A withdrawn key works on for at most `key_set.max_age_seconds`, and, while its issuer cannot be reached,
//!   `key_set.stale_seconds` longer. Tokens that were seen before are no exception. What the gateway caches comes on top.
//! - While an issuer hangs, a request whose key is known waits 300 ms for it, and only the first in each cool-down does. A
//!   fetch that takes longer goes on after the answer, and with the requests that follow.
//! - An issuer that puts another key under an old name is noticed when the set is fetched again, not before.
//! - A token that was verified stays good until it expires; revoking it is not the business of a signature.
//!
//! # Where what is
//!
//! `issuers` is the journey of a token. `compact`, `json` and `header` read it; `issuer_keys` finds its key
//! (fetched through `source`, found by `discovery`, read by `key_set` and `jwk`); `signed` is what its signature is about;
//! `claims`, `profile` and `facts` judge it; `seen` remembers it. `introspected` reads what a server says of a token with the
//! same means.

pub(in crate::layers) mod algorithm;
mod claim_path;
mod claims;
mod clock;
pub(in crate::layers) mod compact;
mod config;
mod discovery;
mod facts;
mod header;
mod introspected;
mod issuer_keys;
mod issuers;
pub(in crate::layers) mod json;
pub(in crate::layers) mod jwk;
mod key_set;
mod profile;
mod seen;
pub(in crate::layers) mod shown;
mod signed;
mod source;
#[cfg(test)]
mod test_support;

pub use algorithm::Algorithm;
pub(crate) use config::{Fields, RawAnswer, check_address};
pub use config::{
    IssuerConfig, RawClaims, RawFormat, RawIssuer, RawKeySet, RawPath, RawProfile, RawScalar,
    ReadFile,
};
pub(crate) use facts::whole_seconds;
pub(crate) use introspected::{SignedAnswers, Told, told};
pub use issuers::Issuers;
pub(crate) use json::{Object, Value};
pub use source::{FetchError, Fetched, KeySetSource, Origin};

#[cfg(doc)]
use crate::denial::Reason;
