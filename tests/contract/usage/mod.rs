//! What every store of usage must do, run over each of them.
//!
//! Memory and the embedded `DynamoDB` always, and the `DynamoDB` that `DOORWARD_TEST_DYNAMODB_ENDPOINT` names.

mod adding;
mod dynamodb;
mod places;

/// Declares each case once and runs it over every store.
macro_rules! contract {
    ($($module:ident::$case:ident;)*) => {
        contract!(@over memory $($module::$case;)*);
        contract!(@over embedded $($module::$case;)*);
        contract!(@over endpoint $($module::$case;)*);
    };
    (@over $place:ident $($module:ident::$case:ident;)*) => {
        mod $place {
            $(#[tokio::test] async fn $case() {
                if let Some(place) = super::places::Place::$place().await {
                    super::$module::$case(&place).await;
                }
            })*
        }
    };
}

contract! {
    adding::what_is_added_is_read_by_hour;
    adding::random_additions_sum_up;
    adding::an_addition_that_comes_again_is_not_made_twice;
    adding::a_later_use_never_gives_way_to_an_earlier_one;
    adding::additions_at_one_moment_all_count;
    adding::numbers_at_the_ends_of_the_range_are_counted_exactly;
    adding::usage_of_another_key_or_hour_is_not_shown;
    adding::a_key_that_was_never_used_has_no_usage;
    adding::no_entry_is_no_work;
}
