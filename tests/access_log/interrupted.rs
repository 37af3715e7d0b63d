//! Functions that end in the middle of a batch, and the delivery that comes after.

use std::sync::Arc;

use doorward_tests::faulty::{Interrupted, Interruption};
use serde_json::{Value, json};

use crate::house::{House, NOW, delivery, key, request, send};

/// How many pieces the batches of these tests have.
const PIECES: usize = 3;

fn batch() -> Value {
    let events: Vec<Value> = (0..480_u128)
        .map(|number| request(&number.to_string(), &key(number % 240), NOW, 200))
        .collect();
    delivery("s", &events)
}

async fn check(house: &House, case: &str) {
    let counted = house.counted().await;
    assert!(
        counted.len() == 240 && counted.values().all(|count| *count == 2),
        "{case}: {counted:?}"
    );
}

#[tokio::test]
async fn a_batch_that_was_interrupted_anywhere_comes_out_right_when_it_comes_again() {
    for interruption in [Interruption::Before, Interruption::After] {
        for at in 0..PIECES {
            let house = House::open().await;
            let case = format!("{interruption:?} piece {at}");
            let sink = Interrupted::new(house.usage(), at, interruption);
            let broken = house.function(Arc::new(sink));
            let refused = send(&broken, &batch()).await;
            assert_eq!(refused, Err("unavailable".to_owned()), "{case}");

            let written = match interruption {
                Interruption::Before => at,
                // Its answer was lost.
                Interruption::After => at + 1,
            };
            let whole = house.function(house.usage());
            let again = send(&whole, &batch()).await.unwrap();
            let expected =
                json!({"requests": 480, "pieces": PIECES - written, "repeatedPieces": written});
            assert_eq!(again, expected, "{case}");
            check(&house, &case).await;
            let third = send(&whole, &batch()).await.unwrap();
            assert_eq!(third["pieces"], 0, "{case}");
            check(&house, &case).await;
        }
    }
}

#[tokio::test]
async fn a_batch_that_is_interrupted_again_and_again_ends() {
    let house = House::open().await;
    for at in 0..PIECES {
        let interruption = if at % 2 == 0 {
            Interruption::After
        } else {
            Interruption::Before
        };
        let sink = Interrupted::new(house.usage(), at, interruption);
        let refused = send(&house.function(Arc::new(sink)), &batch()).await;
        assert!(refused.is_err());
    }
    send(&house.function(house.usage()), &batch())
        .await
        .unwrap();
    check(&house, "in the end").await;
}
