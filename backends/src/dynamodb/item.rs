//! Items of the keys table, written and read strictly: what is not exactly of the form in [`schema`] is corrupt, and an
//! attribute that cannot be read is never taken as absent.

mod jobs;
mod read;
mod write;

pub(super) use jobs::{ended_item, flush_item, place_item, schedule_item, scheduled, state_word};
pub(super) use read::{Reader, living, moved_to, record, trace};
pub(super) use write::{
    Item, audit_item, event_item, id_item, link_item, notice_item, record_item, request_item,
    tombstone_item,
};
