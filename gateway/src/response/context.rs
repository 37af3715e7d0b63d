//! The flat facts that go to the backend with an answer.
//!
//! Values go into headers, so they are printable ASCII (RFC 9110 section 5.5): everything else is percent-encoded, and so
//! is `%` itself. Decoding a value once gives the fact exactly, and two facts never look the same.

use std::borrow::Cow;

use doorward_engine::{
    config::GATEWAY_CONTEXT_NAMES, context::of_limit, decision::Context, identity_token,
    layers::exchange,
};
use doorward_keys::Timestamp;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::{Serialize, Serializer};

use super::{Refused, Tokens};

/// The facts that stay when room is short, most important first; the others follow by name. Tokens for the backend stand at
/// the head: the engine has seen to it that they fit. Then comes what makes a backend refuse, then the short facts that say
/// who is calling, then those that only inform, then the lists that may be long.
const PRIORITY: [&str; 24] = [
    exchange::CONTEXT_NAME,
    identity_token::NAME,
    "rateLimited",
    "rateLimitReset",
    "retryAfter",
    "tenant",
    "subject",
    "issuer",
    "clientId",
    "keyId",
    "certificate",
    "certificateAuthority",
    "certificateSerial",
    "credential",
    "expiresAt",
    "dpopNonce",
    "limit",
    "remaining",
    "reset",
    "rateLimit",
    "rateLimitPolicy",
    "keyName",
    "scopes",
    "roles",
];

/// The facts that make a backend refuse.
const FOR_BACKENDS: [&str; 2] = ["rateLimited", "rateLimitReset"];

/// Set when facts had to be left out, so that a backend can tell "has none" from "did not fit".
const TRUNCATED: &str = "contextTruncated";

/// Names and values that go to the backend, by name.
#[derive(Default)]
pub(super) struct Facts<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Facts<'a> {
    /// Puts a value under `name`, in place of another one.
    fn put(&mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) {
        let (name, value) = (name.into(), value.into());
        match self.0.binary_search_by(|(held, _)| held.cmp(&name)) {
            Ok(place) => {
                if let Some(held) = self.0.get_mut(place) {
                    held.1 = value;
                }
            }
            Err(place) => self.0.insert(place, (name, value)),
        }
    }

    fn remove(&mut self, name: &str) {
        self.0.retain(|(held, _)| held != name);
    }
}

impl Serialize for Facts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// The facts of a grant and the tokens for the backend, whole ones only, within `max_bytes` of names and values.
pub(super) fn of_grant<'a>(facts: &'a Context, tokens: Tokens<'a>, max_bytes: usize) -> Facts<'a> {
    let named = [
        (exchange::CONTEXT_NAME, tokens.downstream),
        (
            identity_token::NAME,
            tokens.signed.map(|signed| signed.text),
        ),
    ];
    let carried = named
        .into_iter()
        .filter_map(|(name, text)| Some((name, text?)));
    let taken = carried
        .clone()
        .map(|(name, text)| name.len().saturating_add(text.len()));
    let mut kept = of_facts(facts, max_bytes.saturating_sub(taken.sum()));
    for (name, text) in carried {
        kept.put(name, text);
    }
    kept
}

fn of_facts(facts: &Context, max_bytes: usize) -> Facts<'_> {
    let named = facts.iter().filter(|(name, _)| is_name(name));
    let all = named.map(|(name, value)| (Cow::Borrowed(&**name), encoded(value)));
    let all = Facts(all.collect());
    let room = max_bytes.saturating_sub(TRUNCATED.len().saturating_add("true".len()));
    let bytes = all.0.iter().map(|fact| size(fact));
    if bytes.sum::<usize>() <= room {
        all
    } else {
        most_important(all, room)
    }
}

/// Those of `facts` that fit, in the order of their importance.
fn most_important(facts: Facts<'_>, mut room: usize) -> Facts<'_> {
    let rank = |name: &str| PRIORITY.iter().position(|one| *one == name);
    let mut ranked = facts.0;
    // Stable, so that the others stay in the order of their names.
    ranked.sort_by_key(|(name, _)| rank(name).unwrap_or(PRIORITY.len()));
    let mut kept = Facts::default();
    for fact in ranked {
        if let Some(left) = room.checked_sub(size(&fact)) {
            room = left;
            kept.put(fact.0, fact.1);
        }
    }
    kept.put(TRUNCATED, "true");
    kept
}

fn size((name, value): &(Cow<'_, str>, Cow<'_, str>)) -> usize {
    name.len().saturating_add(value.len())
}

/// All that a caller learns of a refusal: its class, and the limit where one is used up. Beside it the facts for the backends
/// that a kept refusal lets the caller through to. What tells a backend to refuse is not among them: the policy does.
pub(super) fn of_refusal(refused: Refused<'_>, now: Timestamp, max_bytes: usize) -> Facts<'_> {
    let tokens = Tokens {
        downstream: None,
        signed: refused.signed,
    };
    let caller = refused
        .context
        .map(|facts| of_grant(facts, tokens, max_bytes));
    let mut facts = caller.unwrap_or_default();
    if let Some(limit) = refused.limit {
        for (name, value) in of_limit(limit, now) {
            facts.put(name, value);
        }
        for name in FOR_BACKENDS {
            facts.remove(name);
        }
    }
    facts.put("reason", refused.class.as_str());
    facts
}

/// `text` with everything but printable ASCII percent-encoded. For texts that escape `%` themselves, such as principals.
pub(super) fn printable(text: &str) -> Cow<'_, str> {
    utf8_percent_encode(text, CONTROLS).into()
}

fn encoded(text: &str) -> Cow<'_, str> {
    const UNSAFE: &AsciiSet = &CONTROLS.add(b'%');
    utf8_percent_encode(text, UNSAFE).into()
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic())
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !GATEWAY_CONTEXT_NAMES.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::{super::Signed, *};

    /// What is kept, as it is said.
    fn said(kept: &Facts<'_>) -> Context {
        serde_json::from_value(serde_json::to_value(kept).unwrap()).unwrap()
    }

    fn of_facts(facts: &Context, max_bytes: usize) -> Context {
        said(&super::of_facts(facts, max_bytes))
    }

    fn of_grant(facts: &Context, tokens: Tokens<'_>, max_bytes: usize) -> Context {
        said(&super::of_grant(facts, tokens, max_bytes))
    }

    fn facts(pairs: &[(&str, &str)]) -> Context {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned().into(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn knows_a_place_for_every_fact_of_the_identity_contract() {
        let (mut ours, mut theirs) = (PRIORITY.to_vec(), doorward_engine::context::NAMES.to_vec());
        ours.sort_unstable();
        theirs.sort_unstable();
        assert_eq!(ours, theirs);
    }

    #[test]
    fn refuses_controls_and_what_is_not_ascii_in_values() {
        let kept = of_facts(&facts(&[("name", "a\r\nX-Admin: 1\0é%C3%A9\u{7f}")]), 4096);
        assert_eq!(kept["name"], "a%0D%0AX-Admin: 1%00%C3%A9%25C3%25A9%7F");
    }

    #[test]
    fn refuses_reserved_and_odd_names() {
        let kept = of_facts(
            &facts(&[
                ("claims", "x"),
                ("principalId", "x"),
                ("a-b", "x"),
                ("", "x"),
                ("1a", "x"),
                ("ok_1", "x"),
            ]),
            4096,
        );
        assert_eq!(kept.keys().collect::<Vec<_>>(), ["ok_1"]);
    }

    #[test]
    fn the_token_for_the_backend_is_never_left_out_for_other_facts() {
        let token = "t".repeat(100);
        let all = facts(&[("scopes", "a"), ("tenant", "t"), ("zzz", "1")]);
        let tokens = Tokens {
            downstream: Some(&token),
            signed: None,
        };
        let kept = of_grant(&all, tokens, 140);
        assert_eq!(kept[exchange::CONTEXT_NAME], token);
        assert_eq!(kept["contextTruncated"], "true");
        assert_eq!(of_grant(&all, Tokens::default(), 4096), all);
    }

    #[test]
    fn leaves_whole_facts_out_in_a_fixed_order_when_room_is_short() {
        let long = "s".repeat(60);
        let all = facts(&[
            ("aaa", "1"),
            ("scopes", &long),
            ("tenant", "t"),
            ("subject", "u"),
        ]);
        let kept = of_facts(&all, 50);
        assert_eq!(
            kept,
            facts(&[
                ("aaa", "1"),
                ("contextTruncated", "true"),
                ("subject", "u"),
                ("tenant", "t")
            ])
        );
        assert_eq!(of_facts(&all, 4096), all);
        assert_eq!(of_facts(&all, 0), facts(&[("contextTruncated", "true")]));
    }

    #[test]
    fn a_token_goes_before_all_facts_and_is_never_cut() {
        let all = facts(&[("tenant", "t"), ("subject", "u"), ("zzz", "1")]);
        let tokens = Tokens {
            downstream: None,
            signed: Some(Signed {
                text: "a.b-_.c",
                expires_at: Timestamp::from_unix(0),
            }),
        };
        let names = |max| of_grant(&all, tokens, max).into_keys().collect::<Vec<_>>();
        assert_eq!(names(4096), ["identityToken", "subject", "tenant", "zzz"]);
        assert_eq!(names(47), ["contextTruncated", "identityToken", "tenant"]);
        assert_eq!(of_grant(&all, tokens, 4096)["identityToken"], "a.b-_.c");
        let both = Tokens {
            downstream: Some("d"),
            ..tokens
        };
        let kept = of_grant(&all, both, 4096);
        assert_eq!(
            (&kept["downstreamToken"], &kept["identityToken"]),
            (&"d".to_owned(), &"a.b-_.c".to_owned())
        );
    }
}
