//! What is remembered for what happens by itself.

use doorward_keys::{KeyId, RotationState, ScheduledRotation, StoreError, Timestamp};

use super::{
    Item, Reader,
    write::{new_item, number, text},
};
use crate::dynamodb::schema;

const WAITING: &str = "waiting";
const ROTATED: &str = "rotated";
const TOLD: &str = "told";

/// The word for how far a scheduled rotation is.
pub(in crate::dynamodb) const fn state_word(state: &RotationState) -> &'static str {
    match state {
        RotationState::Waiting => WAITING,
        RotationState::Told => TOLD,
        RotationState::Rotated(_) => ROTATED,
    }
}

pub(in crate::dynamodb) fn schedule_item(rotation: &ScheduledRotation) -> Item {
    let pk = schema::id_pk(rotation.key_id.as_str());
    let mut item = new_item(&pk, schema::SCHEDULE_SK);
    let mut set = |name: &str, value| item.insert(name.to_owned(), value);
    set(schema::ID, text(rotation.key_id.as_str()));
    set(schema::AT, number(&rotation.at.unix()));
    set(schema::OVERLAP_SECONDS, number(&rotation.overlap_seconds));
    set(schema::ACTOR, text(&rotation.actor));
    if let Some(days) = rotation.every_days {
        set(schema::EVERY_DAYS, number(&days));
    }
    if let Some(days) = rotation.expires_in_days {
        set(schema::LIFETIME_DAYS, number(&days));
    }
    if let Some(secret) = &rotation.secret {
        set(schema::SECRET, text(secret));
    }
    set(schema::STATE, text(state_word(&rotation.state)));
    if let RotationState::Rotated(successor) = &rotation.state {
        set(schema::RELATED, text(successor.as_str()));
    }
    if let Some((day, position)) = rotation.calendar_position() {
        set(schema::DAY_PK, text(&schema::rotation_pk(day)));
        set(schema::DAY_SK, text(&position));
    }
    item
}

/// What stands in the place of a schedule that is over, until it is purged.
pub(in crate::dynamodb) fn ended_item(id: &KeyId, at: Timestamp) -> Item {
    let mut item = new_item(&schema::id_pk(id.as_str()), schema::SCHEDULE_SK);
    item.insert(schema::PURGE_AT.to_owned(), number(&at.unix()));
    item
}

/// The scheduled rotation in an item; `None` for one that is over.
pub(in crate::dynamodb) fn scheduled(item: &Item) -> Result<Option<ScheduledRotation>, StoreError> {
    let read = Reader::of(item)?;
    if item.contains_key(schema::PURGE_AT) {
        return Ok(None);
    }
    let secret = read.optional(schema::SECRET, Reader::text)?;
    let state = match read.text(schema::STATE)? {
        WAITING => RotationState::Waiting,
        TOLD => RotationState::Told,
        ROTATED => RotationState::Rotated(read.key_id(schema::RELATED)?),
        _ => return Err(read.corrupt(schema::STATE)),
    };
    Ok(Some(ScheduledRotation {
        key_id: read.key_id(schema::ID)?,
        at: Timestamp::from_unix(read.number(schema::AT)?),
        every_days: read.optional(schema::EVERY_DAYS, Reader::number)?,
        overlap_seconds: read.number(schema::OVERLAP_SECONDS)?,
        expires_in_days: read.optional(schema::LIFETIME_DAYS, Reader::number)?,
        secret: secret.map(ToOwned::to_owned),
        actor: read.text(schema::ACTOR)?.to_owned(),
        state,
    }))
}

pub(in crate::dynamodb) fn flush_item(stage: &str, from: Timestamp) -> Item {
    new_item(&schema::flush_pk(stage), &schema::time_sk(from))
}

pub(in crate::dynamodb) fn place_item(job: &str, place: &str) -> Item {
    let mut item = new_item(&schema::place_pk(job), schema::PLACE_SK);
    item.insert(schema::PLACE.to_owned(), text(place));
    item
}
