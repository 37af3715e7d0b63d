//! Every way a request may end, in one table: what the engine decides, why, and what each kind of gateway gets.
//!
//! With `DOORWARD_BLESS=1` the table and the list of reasons are written anew.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "everything in this crate is a test or serves one"
)]

mod cases;
mod denials;
mod events;
mod limits;
mod possession;
mod secrets;
mod servers;
mod table;
mod tokens;
mod world;

use std::collections::BTreeSet;

use doorward_engine::{Class, Reason};
use doorward_tests::golden::check;

use crate::table::{cells, print};

#[tokio::test]
async fn every_decision_is_as_the_table_says() {
    check("tests/golden/decisions.txt", &print(cells().await));
}

#[tokio::test]
async fn every_reason_occurs_in_the_table() {
    let shown: BTreeSet<&str> = cells().await.iter().map(|cell| cell.reason).collect();
    let missing: Vec<&str> = Reason::ALL
        .iter()
        .map(|reason| reason.as_str())
        .filter(|word| !shown.contains(word))
        .collect();
    assert!(missing.is_empty(), "no case shows {missing:?}");
}

#[tokio::test]
async fn every_answer_is_of_the_class_of_its_reason() {
    for cell in cells().await {
        let class = Reason::ALL
            .iter()
            .find(|reason| reason.as_str() == cell.reason)
            .map(|reason| reason.class());
        let fits = match class {
            // Who is not known is told nothing, whatever the reason.
            _ if cell.is_of_a_stranger() => cell.answer == "500 error",
            None => matches!(cell.answer, "allow" | "isAuthorized true"),
            Some(Class::Unauthenticated) => {
                matches!(cell.answer, "401 error" | "isAuthorized false")
            }
            Some(Class::Forbidden | Class::Throttled) => {
                matches!(cell.answer, "403 deny" | "isAuthorized false")
            }
            Some(Class::Unavailable) => cell.answer == "500 error",
        };
        assert!(fits, "{}", print(std::slice::from_ref(cell)));
    }
}
