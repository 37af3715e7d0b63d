//! From arguments to what key administration is asked, which checks it.

use doorward_key_admin::command::BlockTokens;
use doorward_keys::Timestamp;

use super::{
    args::Add,
    token::{self, Named},
};
use crate::{exit::Failure, input};

/// How long a block outlives the `exp` of its token, in seconds: the longest leeway that a configuration can give.
const LEEWAY_SECONDS: i64 = 300;

/// What `add` asks, where tokens of `issuers` are accepted.
pub(super) fn added<'a>(
    add: Add,
    mut issuers: impl Iterator<Item = &'a str>,
    now: Timestamp,
) -> Result<BlockTokens, Failure> {
    if let Some(file) = &add.token {
        let named = token::read(&input::read(file)?)?;
        return of_token(named, add.lasting, add.reason, now);
    }
    let issuer = match (add.issuer, issuers.next(), issuers.next()) {
        (Some(issuer), ..) => issuer,
        (None, Some(only), None) => only.to_owned(),
        (None, ..) => {
            return Err(Failure::usage(
                "no configuration at hand has one issuer alone; name it with --issuer",
            ));
        }
    };
    Ok(BlockTokens {
        issuer,
        jti: add.jti,
        origin_jti: add.origin_jti,
        subject: add.subject,
        client: add.client,
        all: add.all,
        issued_before: add.issued_before.map(|time| time.from(now).unix()),
        expires_in_seconds: add.lasting.unwrap_or_default(),
        reason: add.reason,
    })
}

fn of_token(
    named: Named,
    lasting: Option<i64>,
    reason: Option<String>,
    now: Timestamp,
) -> Result<BlockTokens, Failure> {
    let until_end = named.expires_at.map(|end| end.since(now));
    let expires_in_seconds = match (lasting, until_end) {
        (Some(seconds), _) => seconds,
        (None, Some(left)) if left.saturating_add(LEEWAY_SECONDS) > 0 => {
            left.saturating_add(LEEWAY_SECONDS)
        }
        (None, Some(_)) => {
            return Err(Failure::usage(
                "the token has expired, so that nothing is left to block",
            ));
        }
        (None, None) => {
            return Err(Failure::usage(
                "the token has no `exp`; say with --for how long the block is to count",
            ));
        }
    };
    Ok(BlockTokens {
        issuer: named.issuer,
        jti: Some(named.jti),
        expires_in_seconds,
        reason,
        ..BlockTokens::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(expires_at: Option<i64>) -> Named {
        Named {
            issuer: "i".to_owned(),
            jti: "t".to_owned(),
            expires_at: expires_at.map(Timestamp::from_unix),
        }
    }

    #[test]
    fn a_block_of_a_token_outlives_it_by_every_leeway() {
        let now = Timestamp::from_unix(1000);
        let of = |end, lasting| of_token(named(end), lasting, None, now);
        assert_eq!(of(Some(1600), None).unwrap().expires_in_seconds, 900);
        assert_eq!(of(Some(1600), Some(60)).unwrap().expires_in_seconds, 60);
        assert_eq!(of(Some(701), None).unwrap().expires_in_seconds, 1);
        assert!(of(Some(700), None).unwrap_err().message.contains("expired"));
        assert!(of(None, None).unwrap_err().message.contains("--for"));
    }
}
