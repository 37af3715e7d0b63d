//! Blocks and their changes, to items and back.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use doorward_keys::{
    Block, BlockAction, BlockChange, BlockId, Event, StoreError, Target, Timestamp,
};

use crate::dynamodb::{
    item::{Item, Reader},
    schema,
};

/// The item of a block.
pub(super) fn block_item(block: &Block) -> Item {
    let mut item = attributes(block);
    let sk = format!("{}{}", schema::BLOCK_SK, block.id);
    item.extend(key(schema::BLOCKS_PK, &sk));
    let end = number(&block.expires_at.unix());
    item.insert(schema::PURGE_AT.to_owned(), end);
    item
}

/// The key of a block's item.
pub(super) fn block_key(id: &BlockId) -> Item {
    key(schema::BLOCKS_PK, &format!("{}{id}", schema::BLOCK_SK))
}

/// The item of a change.
pub(super) fn change_item(change: &BlockChange) -> Item {
    let sk = format!("{}{}", schema::AUDIT_SK, change.id);
    let mut item = key(schema::BLOCK_CHANGES_PK, &sk);
    let mut set = |name: &str, value| item.insert(name.to_owned(), value);
    set(schema::FORMAT, number(&schema::FORMAT_VERSION));
    set(schema::ACTION, text(change.action.as_str()));
    set(schema::AT, number(&change.at.unix()));
    set(schema::ACTOR, text(&change.actor));
    if let Some(reason) = &change.reason {
        set(schema::REASON, text(reason));
    }
    let block = AttributeValue::M(attributes(&change.block));
    set(schema::BLOCK, block);
    item
}

/// The event of a change, as it waits for its delivery.
pub(super) fn event_item(change: &BlockChange) -> Item {
    let part = schema::outbox_part(change.block.id.as_str());
    let event = Event::Block(change.clone());
    let mut item = key(&schema::outbox_pk(part), &event.id());
    let mut set = |name: &str, value| item.insert(name.to_owned(), value);
    set(schema::FORMAT, number(&schema::FORMAT_VERSION));
    set(schema::KIND, text(event.kind()));
    set(schema::AT, number(&change.at.unix()));
    set(schema::ACTOR, text(&change.actor));
    if let Some(reason) = &change.reason {
        set(schema::REASON, text(reason));
    }
    set(schema::BLOCK, AttributeValue::M(attributes(&change.block)));
    item
}

/// The change of which an item of the outbox tells; `None` for an event of another kind.
pub(in crate::dynamodb) fn event(item: &Item) -> Result<Option<BlockChange>, StoreError> {
    let reader = Reader::of(item)?;
    let Some(action) = BlockAction::of_event(reader.text(schema::KIND)?) else {
        return Ok(None);
    };
    let Some(AttributeValue::M(of_block)) = item.get(schema::BLOCK) else {
        return Err(reader.corrupt(schema::BLOCK));
    };
    let block = read(of_block)?;
    let (id, about) = reader
        .text(schema::SK)?
        .split_once('#')
        .ok_or_else(|| reader.corrupt(schema::SK))?;
    if about != block.id.as_str() {
        return Err(reader.corrupt(schema::SK));
    }
    Ok(Some(BlockChange {
        id: id.to_owned(),
        at: Timestamp::from_unix(reader.number(schema::AT)?),
        action,
        actor: reader.text(schema::ACTOR)?.to_owned(),
        reason: optional_text(&reader, schema::REASON)?,
        block,
    }))
}

/// The block in an item, which says its name twice.
pub(super) fn block(item: &Item) -> Result<Block, StoreError> {
    let block = read(item)?;
    let reader = Reader::of(item)?;
    let sk = format!("{}{}", schema::BLOCK_SK, block.id);
    if reader.text(schema::SK)? == sk {
        Ok(block)
    } else {
        Err(reader.corrupt(schema::SK))
    }
}

/// The change in an item.
pub(super) fn change(item: &Item) -> Result<BlockChange, StoreError> {
    let reader = Reader::of(item)?;
    let Some(AttributeValue::M(of_block)) = item.get(schema::BLOCK) else {
        return Err(reader.corrupt(schema::BLOCK));
    };
    Ok(BlockChange {
        id: reader
            .text(schema::SK)?
            .strip_prefix(schema::AUDIT_SK)
            .ok_or_else(|| reader.corrupt(schema::SK))?
            .to_owned(),
        at: Timestamp::from_unix(reader.number(schema::AT)?),
        action: BlockAction::parse(reader.text(schema::ACTION)?)
            .ok_or_else(|| reader.corrupt(schema::ACTION))?,
        actor: reader.text(schema::ACTOR)?.to_owned(),
        reason: optional_text(&reader, schema::REASON)?,
        block: read(of_block)?,
    })
}

pub(super) fn key(pk: &str, sk: &str) -> Item {
    HashMap::from([
        (schema::PK.to_owned(), text(pk)),
        (schema::SK.to_owned(), text(sk)),
    ])
}

pub(super) fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

pub(super) fn number(value: &impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn attributes(block: &Block) -> Item {
    let mut item = Item::new();
    let mut set = |name: &str, value| item.insert(name.to_owned(), value);
    set(schema::FORMAT, number(&schema::FORMAT_VERSION));
    set(schema::ID, text(block.id.as_str()));
    set(schema::ISSUER, text(&block.issuer));
    set(schema::KIND, text(block.target.kind()));
    if let Some(value) = block.target.value() {
        set(schema::VALUE, text(value));
    }
    if let Some(time) = block.issued_before {
        set(schema::ISSUED_BEFORE, number(&time.unix()));
    }
    set(schema::EXPIRES_AT, number(&block.expires_at.unix()));
    set(schema::CREATED_AT, number(&block.created_at.unix()));
    set(schema::ACTOR, text(&block.actor));
    if let Some(reason) = &block.reason {
        set(schema::REASON, text(reason));
    }
    item
}

fn read(item: &Item) -> Result<Block, StoreError> {
    let reader = Reader::of(item)?;
    let value = reader.optional(schema::VALUE, Reader::text)?;
    Ok(Block {
        id: BlockId::parse(reader.text(schema::ID)?).ok_or_else(|| reader.corrupt(schema::ID))?,
        issuer: reader.text(schema::ISSUER)?.to_owned(),
        target: Target::parse(reader.text(schema::KIND)?, value)
            .ok_or_else(|| reader.corrupt(schema::KIND))?,
        issued_before: reader
            .optional(schema::ISSUED_BEFORE, Reader::number)?
            .map(Timestamp::from_unix),
        expires_at: Timestamp::from_unix(reader.number(schema::EXPIRES_AT)?),
        created_at: Timestamp::from_unix(reader.number(schema::CREATED_AT)?),
        actor: reader.text(schema::ACTOR)?.to_owned(),
        reason: optional_text(&reader, schema::REASON)?,
    })
}

fn optional_text(reader: &Reader<'_>, name: &str) -> Result<Option<String>, StoreError> {
    let found = reader.optional(name, Reader::text)?;
    Ok(found.map(ToOwned::to_owned))
}
