//! What a token is bound to: the member `cnf` of its claims (RFC 7800 section 3.1).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    denial::{Denial, Reason},
    layers::jwt::{
        json::{Object, Value},
        shown::shown_all,
    },
};

/// What whoever presents the token must show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Confirmation {
    /// The certificate with this SHA-256 (`x5t#S256`, RFC 8705 section 3.1).
    Certificate([u8; 32]),
    /// A signature with the key of this thumbprint (`jkt`, RFC 9449 section 6.1; RFC 7638).
    Key([u8; 32]),
}

impl Confirmation {
    /// Reads `cnf` of `claims`; `None` when there is none. The claims of a JWT and those of an introspection answer have it
    /// in the same form (RFC 8705 section 3.2, RFC 9449 section 6.2).
    ///
    /// # Errors
    /// [`Reason::TokenBound`] for every other form: a member that is not understood could narrow what the others say, and
    /// two ways at once are none that the RFCs describe.
    pub(in crate::layers) fn of(claims: &Object<'_>) -> Result<Option<Self>, Denial> {
        let refused = |detail: String| Err(Denial::new(Reason::TokenBound, detail));
        let members = match claims.get("cnf") {
            None => return Ok(None),
            Some(Value::Object(members)) => members,
            Some(other) => return refused(format!("`cnf` is {}, not an object", other.kind())),
        };
        let names: Vec<&str> = members.names().collect();
        let (name, bind): (_, fn([u8; 32]) -> Self) = match names.as_slice() {
            ["x5t#S256"] => ("x5t#S256", Self::Certificate),
            ["jkt"] => ("jkt", Self::Key),
            others => {
                let others = shown_all(others.iter().copied());
                return refused(format!(
                    "`cnf` has {others}; one of `x5t#S256` and `jkt` is understood"
                ));
            }
        };
        match members.get(name).and_then(Value::as_text).and_then(digest) {
            Some(digest) => Ok(Some(bind(digest))),
            None => refused(format!("`{name}` of `cnf` is no SHA-256 in base64url")),
        }
    }
}

/// 32 bytes in base64url without padding, in their one spelling.
pub(super) fn digest(text: &str) -> Option<[u8; 32]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}
