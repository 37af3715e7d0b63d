//! Batches that come once, again, and all at once.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use doorward_backends::dynamodb::schema;
use doorward_keys::{Hour, KeyId};
use serde_json::{Value, json};

use crate::house::{House, NOW, delivery, key, request, send};

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

#[tokio::test]
async fn a_batch_that_comes_again_counts_nothing_twice() {
    let house = House::open().await;
    let function = house.function(house.usage());
    // 250 keys, two requests each: three transactions.
    let events: Vec<Value> = (0..500_u128)
        .map(|number| request(&number.to_string(), &key(number % 250), NOW, 200))
        .collect();
    let event = delivery("s", &events);
    let first = send(&function, &event).await.unwrap();
    assert_eq!(
        first,
        json!({"requests": 500, "pieces": 3, "repeatedPieces": 0})
    );
    for _ in 0..2 {
        let again = send(&function, &event).await.unwrap();
        assert_eq!(
            again,
            json!({"requests": 500, "pieces": 0, "repeatedPieces": 3})
        );
    }
    let counted = house.counted().await;
    assert!(
        counted.len() == 250 && counted.values().all(|count| *count == 2),
        "{counted:?}"
    );
    // The same ids in another stream are other requests.
    send(&function, &delivery("t", &events)).await.unwrap();
    let counted = house.counted().await;
    assert!(
        counted.len() == 250 && counted.values().all(|count| *count == 4),
        "{counted:?}"
    );
}

#[tokio::test]
async fn batches_of_one_key_at_one_moment_all_count() {
    let house = House::open().await;
    let mut tasks = tokio::task::JoinSet::new();
    for stream in 0..20 {
        let function = house.function(house.usage());
        let events: Vec<Value> = (0..5)
            .map(|number| request(&number.to_string(), &key(1), NOW, 200))
            .collect();
        tasks.spawn(async move {
            let event = delivery(&format!("stream-{stream}"), &events);
            // Each comes twice, as it may.
            let (first, second) = tokio::join!(send(&function, &event), send(&function, &event));
            let pieces = |answer: Value| answer["pieces"].as_u64().unwrap();
            pieces(first.unwrap()) + pieces(second.unwrap())
        });
    }
    let pieces: u64 = tasks.join_all().await.iter().sum();
    assert_eq!(pieces, 20);
    let counted = house.counted().await;
    assert_eq!(counted[key(1).as_str()], 100);
}

#[tokio::test]
async fn the_items_are_those_of_the_schema() {
    let house = House::open().await;
    let function = house.function(house.usage());
    let events = [
        request("1", &key(1), NOW, 200),
        request("2", &key(1), NOW, 429),
        request("3", &key(1), NOW, 503),
        request("4", &key(2), NOW, 200),
    ];
    send(&function, &delivery("s", &events)).await.unwrap();
    let scan = house
        .dynamo
        .client()
        .scan()
        .table_name(&house.names.counters);
    let items = scan.send().await.unwrap().items.unwrap();
    let number = |value: i64| AttributeValue::N(value.to_string());
    let hour = Hour::of(NOW);
    let usage = |number_of_key: u128| {
        HashMap::from([
            (
                "pk".to_owned(),
                text(&schema::usage_pk(key(number_of_key).as_str())),
            ),
            (
                "sk".to_owned(),
                text(&schema::requests_sk(hour, "us-east-1")),
            ),
            ("format".to_owned(), number(1)),
            (
                "expires_at".to_owned(),
                number(hour.end().unix() + 400 * 86_400),
            ),
        ])
    };
    let mut first = usage(1);
    first.insert("requests".to_owned(), number(3));
    first.insert("requests_throttled".to_owned(), number(1));
    first.insert("requests_failed".to_owned(), number(1));
    let mut second = usage(2);
    second.insert("requests".to_owned(), number(1));
    assert_eq!(items.len(), 3);
    assert!(items.contains(&first), "{items:?}");
    assert!(items.contains(&second), "{items:?}");
    let mut marker = items
        .into_iter()
        .find(|item| item["sk"] == text("batch"))
        .unwrap();
    let name = marker.remove("pk").unwrap();
    let name = name.as_s().unwrap().strip_prefix("batch#").unwrap();
    assert!(
        name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{name}"
    );
    let rest = HashMap::from([
        ("sk".to_owned(), text("batch")),
        ("format".to_owned(), number(1)),
        ("expires_at".to_owned(), number(NOW.unix() + 3 * 86_400)),
    ]);
    assert_eq!(marker, rest);
}

#[tokio::test]
async fn an_item_of_another_format_is_not_added_to_and_holds_up_no_other_piece() {
    let house = House::open().await;
    let function = house.function(house.usage());
    let foreign = schema::usage_pk(key(0).as_str());
    let put = house
        .dynamo
        .client()
        .put_item()
        .table_name(&house.names.counters);
    put.item("pk", text(&foreign))
        .item("sk", text(&schema::requests_sk(Hour::of(NOW), "us-east-1")))
        .item("format", AttributeValue::N("9".to_owned()))
        .item("requests", AttributeValue::N("7".to_owned()))
        .send()
        .await
        .unwrap();
    let events: Vec<Value> = (0..150_u128)
        .map(|number| request(&number.to_string(), &key(number), NOW, 200))
        .collect();
    let refused = send(&function, &delivery("s", &events)).await;
    assert_eq!(refused, Err("corrupt".to_owned()));
    // The piece with the foreign item is left out as a whole, the other is counted.
    let counted = house.counted().await;
    assert_eq!(counted.values().sum::<u64>(), 51 + 7);
}

#[tokio::test]
async fn a_table_that_is_away_is_unavailable() {
    let house = House::open().await;
    let function = house.function(house.usage());
    let delete = house.dynamo.client().delete_table();
    delete
        .table_name(&house.names.counters)
        .send()
        .await
        .unwrap();
    let event = delivery("s", &[request("1", &key(1), NOW, 200)]);
    assert_eq!(send(&function, &event).await, Err("unavailable".to_owned()));
}

#[tokio::test]
async fn the_sample_of_the_documentation_is_unpacked_and_counts_nothing() {
    let house = House::open().await;
    let function = house.function(house.usage());
    let event: Value = serde_json::from_str(include_str!("documentation.json")).unwrap();
    let answer = send(&function, &event).await.unwrap();
    assert_eq!(
        answer,
        json!({"requests": 0, "pieces": 0, "repeatedPieces": 0})
    );
}

#[tokio::test]
async fn what_was_counted_is_shown_for_the_key() {
    let house = House::open().await;
    let function = house.function(house.usage());
    let create =
        json!({"operation": "create", "tenant": "acme", "name": "ci", "environment": "live"});
    let made = send(&function, &create).await.unwrap();
    let id = KeyId::parse(made["key"]["id"].as_str().unwrap()).unwrap();
    let events = [
        request("1", &id, NOW.plus(-3600), 200),
        request("2", &id, NOW, 200),
        request("3", &id, NOW, 502),
    ];
    send(&function, &delivery("s", &events)).await.unwrap();
    let usage = json!({"operation": "usage", "id": id.as_str(), "from": NOW.unix() - 7200});
    let shown = send(&function, &usage).await.unwrap();
    let steps = shown["usage"]["steps"].as_array().unwrap();
    let totals: Vec<_> = steps
        .iter()
        .map(|step| step["requests"]["total"].as_u64())
        .collect();
    assert_eq!(totals, [Some(0), Some(1), Some(2)]);
    assert_eq!(shown["usage"]["total"]["cached"], 3);
    assert_eq!(shown["usage"]["total"]["requests"]["failed"], 1);
}
