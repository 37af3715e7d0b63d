//! Tokens that must die before they expire: blocks made, taken back and shown.
//!
//! Apart from [`KeyAdmin`](crate::KeyAdmin), because tokens can be blocked where there are no API keys. All of it is for
//! operators: a token names its tenant only as its issuer likes, so that a caller bound to a tenant has no right of their own to
//! any token.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use doorward_engine::{
    Config,
    layers::block_list::{BlockListConfig, OnBlockListOutage},
};
use doorward_keys::{Block, BlockAction, BlockChange, BlockId, BlockLedger, StoreError, Timestamp};

use crate::{
    admin::GATEWAY_TTL_SECONDS,
    caller::Caller,
    command::{
        BlockTokens, ListBlocks, UnblockTokens, check_block, check_block_ref, check_list, checked,
    },
    entropy::{Entropy, number},
    error::AdminError,
    reply::{BlockChangeView, BlockReply, BlockView, Effect},
};

/// The most blocks of one issuer that are in force at a time. Every sandbox holds them all.
const MAX_OF_ISSUER: usize = 10_000;

/// What a stated time is later than its sum: times are whole seconds, and the change is written after the clock was read.
const MARGIN_SECONDS: i64 = 2;

/// What the configuration says of blocks.
#[derive(Clone, Debug)]
pub struct BlockPolicy {
    /// How the authorizer keeps the list.
    pub list: BlockListConfig,
    /// `iss` of all tokens that may be accepted.
    pub issuers: Vec<String>,
    /// How long the gateway remembers an answer of the authorizer, in seconds.
    pub gateway_ttl_seconds: u32,
}

impl BlockPolicy {
    /// What `config` says; `None` where it has no `block_list`, so that no block would be looked at.
    pub fn of(config: &Config) -> Option<Self> {
        Some(Self {
            list: config.block_list?,
            issuers: config.token_issuers().map(str::to_owned).collect(),
            gateway_ttl_seconds: GATEWAY_TTL_SECONDS,
        })
    }

    /// From when on a block that was asked for at `now` counts: the list is as old as it may be, and the gateway keeps an
    /// answer that was given just before.
    fn blocked(&self, now: Timestamp) -> Effect {
        self.effect(now, self.gateway_ttl_seconds)
    }

    /// The same for a block that is taken back: no gateway keeps a refusal of this kind.
    fn unblocked(&self, now: Timestamp) -> Effect {
        self.effect(now, 0)
    }

    fn effect(&self, now: Timestamp, kept: u32) -> Effect {
        let within = self.list.refresh_seconds.saturating_add(kept);
        let in_outage = match self.list.on_outage {
            OnBlockListOutage::Deny => Some(self.list.max_stale_seconds.saturating_add(kept)),
            OnBlockListOutage::Allow => None,
        };
        Effect {
            effective_within_seconds: within,
            effective_by: now.plus(i64::from(within)).plus(MARGIN_SECONDS).unix(),
            in_outage_within_seconds: in_outage,
        }
    }
}

/// Does what is asked about blocks.
#[derive(Clone)]
pub struct BlockAdmin {
    ledger: Arc<dyn BlockLedger>,
    policy: BlockPolicy,
}

impl BlockAdmin {
    /// Blocks on `ledger` under `policy`.
    pub fn new(policy: BlockPolicy, ledger: Arc<dyn BlockLedger>) -> Self {
        Self { ledger, policy }
    }

    /// The same with the time for which the gateway remembers answers; it is part of the stated delay of a block.
    #[must_use]
    pub const fn with_gateway_ttl(mut self, seconds: u32) -> Self {
        self.policy.gateway_ttl_seconds = seconds;
        self
    }

    /// Blocks tokens for `caller` at `now`. What is blocked already, and for as long, is left as it is.
    ///
    /// # Errors
    /// All faults of the command; [`AdminError::Forbidden`] to all but operators; those of the store.
    pub async fn block(
        &self,
        asked: &BlockTokens,
        caller: &Caller,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<BlockReply, AdminError> {
        let wanted = checked(|check| check_block(asked, &self.policy.issuers, now, check))?;
        require_operator(caller)?;
        let block = Block {
            id: BlockId::new(now, number(entropy)?),
            issuer: asked.issuer.clone(),
            target: wanted.target,
            issued_before: wanted.issued_before,
            expires_at: wanted.expires_at,
            created_at: now,
            actor: caller.name().to_owned(),
            reason: asked.reason.clone(),
        };
        let mut held = self.ledger.all().await?;
        held.retain(|held| held.issuer == block.issuer && held.is_in_force(now));
        if let Some(before) = held.iter().find(|held| held.covers(&block)) {
            return Ok(self.blocked(before, false, now));
        }
        if held.len() >= MAX_OF_ISSUER {
            let message = format!(
                "has {MAX_OF_ISSUER} blocks in force, which is the most; take some back, or block by subject, client or all"
            );
            return Err(AdminError::invalid("issuer", message));
        }
        let reason = asked.reason.as_deref();
        let change = change(BlockAction::Add, &block, caller, reason, now, entropy)?;
        self.ledger.add(&change).await?;
        Ok(self.blocked(&block, true, now))
    }

    fn blocked(&self, block: &Block, changed: bool, now: Timestamp) -> BlockReply {
        BlockReply::Blocked {
            block: BlockView::of(block, now),
            changed,
            effect: self.policy.blocked(now),
        }
    }

    /// Takes a block back for `caller` at `now`.
    ///
    /// # Errors
    /// As [`BlockAdmin::block`], and [`AdminError::NotFound`] where there is no such block any more.
    pub async fn unblock(
        &self,
        asked: &UnblockTokens,
        caller: &Caller,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<BlockReply, AdminError> {
        let id = checked(|check| check_block_ref(asked, check))?;
        require_operator(caller)?;
        let no_block = || AdminError::NotFound(format!("block `{id}`"));
        let block = self.ledger.fetch(&id).await?.ok_or_else(no_block)?;
        let reason = asked.reason.as_deref();
        let change = change(BlockAction::Remove, &block, caller, reason, now, entropy)?;
        match self.ledger.remove(&change).await {
            // Somebody else took it back, or its time came and it was swept.
            Err(StoreError::Conflict(_)) => return Err(no_block()),
            outcome => outcome?,
        }
        let held = self.ledger.all().await?.into_iter();
        let others = held.filter(|other| {
            other.issuer == block.issuer && other.target == block.target && other.is_in_force(now)
        });
        Ok(BlockReply::Unblocked {
            block: BlockView::of(&block, now),
            still_blocked_by: others.map(|other| other.id.to_string()).collect(),
            effect: self.policy.unblocked(now),
        })
    }

    /// The blocks, the first made first, at `now`.
    ///
    /// # Errors
    /// As [`BlockAdmin::block`].
    pub async fn list(
        &self,
        asked: &ListBlocks,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<BlockReply, AdminError> {
        let cursor = asked.cursor.as_deref();
        let (limit, after) = checked(|check| Some(check_list(asked.limit, cursor, check)))?;
        require_operator(caller)?;
        let page = self.ledger.list(limit, after.as_ref()).await?;
        let shown = |block| BlockView::of(block, now);
        Ok(BlockReply::Blocks {
            blocks: page.items.iter().map(shown).collect(),
            cursor: page.next.map(|next| next.to_string()),
        })
    }

    /// What was done to blocks, the first change first, at `now`.
    ///
    /// # Errors
    /// As [`BlockAdmin::block`].
    pub async fn changes(
        &self,
        asked: &ListBlocks,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<BlockReply, AdminError> {
        let cursor = asked.cursor.as_deref();
        let (limit, after) = checked(|check| Some(check_list(asked.limit, cursor, check)))?;
        require_operator(caller)?;
        let page = self.ledger.changes(limit, after.as_ref()).await?;
        let shown = |change| BlockChangeView::of(change, now);
        Ok(BlockReply::Changes {
            block_changes: page.items.iter().map(shown).collect(),
            cursor: page.next.map(|next| next.to_string()),
        })
    }
}

fn change(
    action: BlockAction,
    block: &Block,
    caller: &Caller,
    reason: Option<&str>,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> Result<BlockChange, AdminError> {
    let random = number(entropy)?;
    let actor = caller.name();
    Ok(BlockChange::of(action, block, actor, reason, now, random))
}

fn require_operator(caller: &Caller) -> Result<(), AdminError> {
    if caller.is_operator() {
        return Ok(());
    }
    let message = "blocks of tokens are for operators; tokens belong to an issuer, not to a tenant";
    Err(AdminError::Forbidden(message.to_owned()))
}
