//! What every place must do where moves of keys are asked for, run over each of them.

use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use doorward::dynamodb::{EmbeddedDynamo, Storage};
use doorward_backends::{
    dynamodb::{DynamoRehashes, Patience, TableNames},
    memory::MemoryRehashes,
};
use doorward_keys::{Digest, Rehash, RehashBook, RehashSink as _, StoreError, Timestamp};
use doorward_tests::keys::{NOW, fresh};

const UNTIL: Timestamp = NOW.plus(86_400);

fn rehash(number: u64, with_proof: bool) -> Rehash {
    Rehash {
        key_id: fresh(number).id,
        digest: Digest::of(&format!("proper {number}"), None),
        proof: with_proof.then(|| Digest::of(&format!("proof {number}"), None)),
    }
}

async fn embedded() -> (EmbeddedDynamo, DynamoRehashes) {
    let names = TableNames::default();
    let dynamo = EmbeddedDynamo::start(&Storage::Memory, 0, &names);
    let dynamo = dynamo.await.unwrap();
    let book = DynamoRehashes::new(dynamo.client(), &names.counters, Patience::ADMIN);
    (dynamo, book)
}

/// All that is asked for, read in parts of `limit`.
async fn asked(book: &dyn RehashBook, limit: usize) -> Vec<Result<Rehash, StoreError>> {
    let mut all = vec![];
    for part in 0..book.parts() {
        let mut after = None;
        loop {
            let page = book.asked(part, limit, after.as_ref()).await.unwrap();
            assert!(page.items.len() <= limit);
            all.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    all
}

fn sorted(all: Vec<Result<Rehash, StoreError>>) -> Vec<Rehash> {
    let mut all: Vec<Rehash> = all.into_iter().map(Result::unwrap).collect();
    all.sort_by(|left, right| left.key_id.cmp(&right.key_id));
    all
}

#[tokio::test]
async fn what_is_asked_for_is_shown_once_until_it_is_done() {
    let (_running, table) = embedded().await;
    let books: [Arc<dyn RehashBook>; 2] = [Arc::new(MemoryRehashes::new()), Arc::new(table)];
    for book in books {
        let wanted: Vec<Rehash> = (0..25)
            .map(|number| rehash(number, number % 2 == 0))
            .collect();
        for _ in 0..2 {
            for one in &wanted {
                book.ask(one, UNTIL).await.unwrap();
            }
        }
        for limit in [1, 4, 100] {
            assert_eq!(sorted(asked(book.as_ref(), limit).await), wanted);
        }
        // Done twice is done.
        for one in wanted.iter().skip(1).chain(wanted.last()) {
            book.done(&one.key_id).await.unwrap();
        }
        assert_eq!(sorted(asked(book.as_ref(), 10).await), wanted[..1]);
    }
}

#[tokio::test]
async fn an_item_that_cannot_be_read_stands_in_no_move_s_way() {
    let (dynamo, book) = embedded().await;
    let (good, bad) = (rehash(1, true), rehash(1 + 8, true));
    for one in [&good, &bad] {
        book.ask(one, UNTIL).await.unwrap();
    }
    let part = bad.key_id.as_str().bytes().last().unwrap() % 8;
    let pk = AttributeValue::S(format!("rehash#{part}"));
    let spoil = dynamo
        .client()
        .update_item()
        .table_name(TableNames::default().counters)
        .key("pk", pk)
        .key("sk", AttributeValue::S(bad.key_id.to_string()))
        .update_expression("SET #digest = :digest")
        .expression_attribute_names("#digest", "digest")
        .expression_attribute_values(":digest", AttributeValue::S("GARBAGE".to_owned()));
    spoil.send().await.unwrap();
    let all = asked(&book, 1).await;
    assert!(all.contains(&Ok(good)), "{all:?}");
    let faults: Vec<_> = all.iter().filter_map(|one| one.as_ref().err()).collect();
    let [StoreError::Corrupt(message)] = &faults[..] else {
        panic!("{all:?}");
    };
    assert!(!message.contains("GARBAGE"), "{message}");
}
