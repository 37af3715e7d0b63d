//! The list as it is asked: by issuer, then by what a token has.

use std::collections::HashMap;

use doorward_keys::{Block, BlockId, Target, Timestamp};

use crate::identity::Subject;

/// The most blocks that are held; key administration stops long before.
pub(super) const MAX_BLOCKS: usize = 50_000;

/// The blocks in force when the list was read.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    /// The version of the list.
    pub(super) version: u64,
    issuers: HashMap<String, OfIssuer>,
}

#[derive(Debug, Default)]
struct OfIssuer {
    by_jti: Rules,
    by_origin_jti: Rules,
    by_subject: Rules,
    by_client: Rules,
    all: Vec<Rule>,
}

/// By the text that a token must have.
type Rules = HashMap<String, Vec<Rule>>;

#[derive(Debug)]
struct Rule {
    id: BlockId,
    issued_before: Option<Timestamp>,
    expires_at: Timestamp,
}

impl Snapshot {
    /// The list of this version. The error says why it cannot be held.
    pub(super) fn of(version: u64, blocks: Vec<Block>, now: Timestamp) -> Result<Self, String> {
        let mut snapshot = Self {
            version,
            ..Self::default()
        };
        let blocks = blocks.into_iter().filter(|block| block.is_in_force(now));
        for (place, block) in blocks.enumerate() {
            if place >= MAX_BLOCKS {
                return Err(format!("it holds more than {MAX_BLOCKS} blocks"));
            }
            snapshot.add(block);
        }
        Ok(snapshot)
    }

    fn add(&mut self, block: Block) {
        let rule = Rule {
            id: block.id,
            issued_before: block.issued_before,
            expires_at: block.expires_at,
        };
        let issuer = self.issuers.entry(block.issuer).or_default();
        let rules = match block.target {
            Target::Jti(value) => issuer.by_jti.entry(value).or_default(),
            Target::OriginJti(value) => issuer.by_origin_jti.entry(value).or_default(),
            Target::Subject(value) => issuer.by_subject.entry(value).or_default(),
            Target::Client(value) => issuer.by_client.entry(value).or_default(),
            Target::Issuer => &mut issuer.all,
        };
        rules.push(rule);
    }

    /// The block that ends the token of `subject`, and by what of it.
    pub(super) fn find(
        &self,
        subject: &Subject,
        now: Timestamp,
    ) -> Option<(&BlockId, &'static str)> {
        let of_issuer = self.issuers.get(&*subject.issuer)?;
        let token = &subject.token;
        // A token speaks for one subject, whichever claim the configuration reads it from.
        let subjects = [Some(&subject.subject), token.sub.as_ref()];
        let facts = [
            ("jti", &of_issuer.by_jti, [token.id.as_ref(), None]),
            (
                "origin_jti",
                &of_issuer.by_origin_jti,
                [token.origin_id.as_ref(), None],
            ),
            ("subject", &of_issuer.by_subject, subjects),
            (
                "client",
                &of_issuer.by_client,
                [subject.client_id.as_ref(), None],
            ),
        ];
        let by_fact = facts.into_iter().flat_map(|(kind, rules, values)| {
            let found = values.into_iter().flatten();
            let found = found.filter_map(|value| rules.get(value)).flatten();
            found.map(move |rule| (rule, kind))
        });
        by_fact
            .chain(of_issuer.all.iter().map(|rule| (rule, "issuer")))
            .find(|(rule, _)| rule.ends(token.issued_at, now))
            .map(|(rule, kind)| (&rule.id, kind))
    }
}

impl Rule {
    /// Whether a token that was issued then is ended. When it was issued is not known of a token without `iat`, so that
    /// leaves nothing alone.
    fn ends(&self, issued_at: Option<Timestamp>, now: Timestamp) -> bool {
        let is_later = match (self.issued_before, issued_at) {
            (Some(bound), Some(issued_at)) => issued_at >= bound,
            (None, _) | (_, None) => false,
        };
        !is_later && now < self.expires_at
    }
}
