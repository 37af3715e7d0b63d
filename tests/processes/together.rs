//! Several events at once in one sandbox (AWS: Lambda Managed Instances), and one after the other elsewhere.

use doorward_keys::KeyStatus;
use futures_util::future::join_all;

use crate::sandbox::{House, event, is_allowed};

/// Calls wait for their slots, so that there is something to do at once.
const QUEUE: &str = r#"
[limits_store]
kind = "memory"

[limits.queue]
algorithm = "leaky_bucket"
limit = 20
per = "second"
max_wait_ms = 3000
by = ["route"]

[[routes]]
route = "GET /queue"
credentials = ["api_key"]
limits = ["queue"]
"#;

/// Every answer is that of its own caller; how many were under way at once.
async fn at_once(variables: &[(&str, &str)]) -> u64 {
    let house = House::open().await;
    let mut callers = Vec::new();
    for number in 1..=4 {
        callers.push(house.key(number, KeyStatus::Active).await);
    }
    let sandbox = house.sandbox(QUEUE, variables).await;
    let calls = callers.iter().cycle().take(24).map(|(id, key)| {
        let asked = sandbox.lambda().invoke(event("/queue", key, 7));
        async move {
            let answer = asked.await.unwrap().unwrap();
            assert!(is_allowed(&answer), "{answer}");
            assert_eq!(answer["context"]["keyId"], id.as_str(), "{answer}");
            assert_eq!(answer["principalId"], format!("key|{id}"));
        }
    });
    join_all(calls).await;
    let lines = sandbox.decisions().await;
    assert_eq!(lines.len(), 24);
    sandbox.lambda().most_at_once()
}

#[tokio::test]
async fn as_many_events_as_lambda_says_are_served_at_once_and_none_gets_the_answer_of_another() {
    assert_eq!(at_once(&[("AWS_LAMBDA_MAX_CONCURRENCY", "4")]).await, 4);
}

#[tokio::test]
async fn without_a_word_of_lambda_events_are_served_one_after_the_other() {
    assert_eq!(at_once(&[]).await, 1);
}
