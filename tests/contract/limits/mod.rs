//! What every store of limits must do, run over each of them.
//!
//! Memory and the embedded `DynamoDB` always, the `DynamoDB` that `DOORWARD_TEST_DYNAMODB_ENDPOINT` names, and the servers
//! of Redis and Valkey that are on this machine; in CI both must be.

mod counting;
mod dynamodb;
mod places;
mod redis;

/// Declares each case once and runs it over every store.
macro_rules! contract {
    ($($module:ident::$case:ident;)*) => {
        contract!(@over memory $($module::$case;)*);
        contract!(@over embedded $($module::$case;)*);
        contract!(@over endpoint $($module::$case;)*);
        contract!(@over redis_server $($module::$case;)*);
        contract!(@over valkey_server $($module::$case;)*);
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
    counting::random_calls_are_answered_as_the_algorithm_answers;
    counting::buckets_do_not_touch_each_other;
    counting::a_cost_above_the_limit_is_refused_for_ever_and_spends_nothing;
    counting::of_callers_at_one_moment_exactly_the_limit_is_admitted;
    counting::numbers_at_the_ends_of_the_range_are_counted_exactly;
    counting::a_store_that_never_saw_the_bucket_counts_on;
    counting::what_is_given_back_can_be_spent_again_in_its_window_only;
    counting::a_narrowed_limit_holds_at_once;
    counting::a_rule_of_another_kind_takes_the_bucket_over;
}
