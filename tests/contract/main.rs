//! What every store of keys must do, run over each of them; in [`limits`] what every store of limits must do, in
//! [`replays`] what every store of proofs must, in [`blocks`] what every store of blocks must, in [`rehashes`] what every place must for moves that are asked for, and in [`usage`] what every store of usage must.
//!
//! Memory and the embedded `DynamoDB` always; and the `DynamoDB` that `DOORWARD_TEST_DYNAMODB_ENDPOINT` names.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod blocks;
mod breakers;
mod corrupt;
mod endings;
mod jobs;
mod limits;
mod lists;
mod moves;
mod outage;
mod outbox;
mod rehashes;
mod repeats;
mod replays;
mod stores;
mod usage;
mod writes;

/// Declares each case once and runs it over every store. The word before a case says which stores have it.
macro_rules! contract {
    ($(every $module:ident::$case:ident;)* $(table $only_module:ident::$only:ident;)*) => {
        mod memory {
            $(#[tokio::test] async fn $case() {
                crate::$module::$case(&crate::stores::Store::memory()).await;
            })*
        }
        mod embedded {
            $(#[tokio::test] async fn $case() {
                crate::$module::$case(&crate::stores::Store::embedded().await).await;
            })*
            $(#[tokio::test] async fn $only() {
                crate::$only_module::$only(&crate::stores::Store::embedded().await).await;
            })*
        }
        mod endpoint {
            $(#[tokio::test] async fn $case() {
                if let Some(store) = crate::stores::Store::endpoint().await {
                    crate::$module::$case(&store).await;
                }
            })*
            $(#[tokio::test] async fn $only() {
                if let Some(store) = crate::stores::Store::endpoint().await {
                    crate::$only_module::$only(&store).await;
                }
            })*
        }
    };
}

contract! {
    every writes::a_created_key_is_found_by_digest_and_by_id_as_it_was_written;
    every writes::an_unknown_key_is_not_found;
    every writes::a_revoked_key_is_found_and_says_so;
    every writes::text_that_looks_like_an_expression_or_a_key_stays_text;
    every writes::a_taken_id_or_digest_is_refused;
    every writes::a_stale_version_is_refused;
    every writes::a_change_of_a_missing_or_foreign_key_is_refused;
    every writes::a_stored_revoked_key_is_never_written_over;
    every writes::a_refused_creation_leaves_nothing_behind;
    every writes::a_refused_change_leaves_no_audit_entry;
    every writes::a_change_that_cannot_be_audited_is_refused;
    every writes::a_rotation_is_seen_whole;
    every writes::a_refused_rotation_leaves_nothing_behind;
    every writes::of_ten_writers_of_one_version_exactly_one_wins;
    every repeats::a_repeated_creation_makes_no_second_key;
    every repeats::a_repeated_rotation_makes_no_second_successor;
    every repeats::a_name_used_for_something_else_is_refused;
    every repeats::a_request_is_forgotten_after_its_time;
    every repeats::of_ten_equal_requests_at_once_one_makes_a_key;
    every jobs::a_flush_is_due_at_its_time_and_until_it_is_done;
    every jobs::a_place_is_the_last_one_kept;
    every jobs::a_scheduled_rotation_is_due_at_its_time;
    every jobs::due_rotations_are_read_in_parts;
    every jobs::a_schedule_on_a_stale_version_is_refused_whole;
    every jobs::a_scheduled_rotation_is_seen_whole_with_the_next;
    every jobs::what_was_scheduled_otherwise_meanwhile_is_not_settled;
    every lists::keys_are_listed_in_parts_and_in_order;
    every lists::keys_of_another_tenant_are_never_listed;
    every lists::the_changes_of_a_key_are_listed_in_parts_and_in_order;
    every lists::a_made_up_place_in_a_list_shows_nothing_new;
    every moves::a_moved_key_is_found_by_both_digests_and_stands_at_the_new_one;
    every moves::a_moved_key_dies_under_both_digests;
    every moves::a_key_is_imported_under_all_its_digests_or_not_at_all;
    every moves::a_key_gets_to_be_known_by_more_where_it_is;
    every moves::nothing_is_made_where_a_key_has_moved_away;
    every moves::a_move_to_a_taken_digest_from_another_version_or_of_a_dead_key_is_refused;
    every moves::a_deleted_key_leaves_a_trace;
    every endings::a_deleted_key_is_gone_but_for_its_owner_and_its_changes;
    every endings::a_deleted_key_is_made_again_by_nobody;
    every endings::a_key_in_another_version_or_missing_is_not_deleted;
    every endings::the_changes_of_a_tenant_are_listed_in_time_and_in_parts;
    every outbox::every_change_is_an_event_with_the_facts_of_the_change;
    every outbox::a_change_that_is_refused_is_no_event;
    every outbox::both_sides_of_a_rotation_are_events;
    every outbox::a_delivered_event_is_forgotten_and_no_other;
    every outbox::a_notice_is_written_once_until_it_is_forgotten;
    every outbox::the_calendar_shows_the_keys_of_a_day_in_parts;
    every outbox::a_revoked_key_leaves_the_calendar;
    table outbox::an_item_that_cannot_be_read_stands_in_nobodys_way;
    table corrupt::a_record_that_is_not_of_ours_is_refused;
    table corrupt::an_id_that_leads_nowhere_or_elsewhere_is_refused;
    table corrupt::a_remembered_request_that_cannot_be_read_is_refused;
    table corrupt::a_list_with_a_corrupt_record_is_refused;
    table outage::a_missing_table_is_unavailable;
    table outage::tables_that_exist_are_left_as_they_are;
}
