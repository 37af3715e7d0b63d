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

use crate::{
    events::Gateway,
    table::{cells, print},
};

#[tokio::test]
async fn every_decision_is_as_the_table_says() {
    check("tests/golden/decisions.txt", &print(cells().await));
}

/// What a kind of gateway cannot meet, and why.
fn out_of_reach(gateway: Gateway, reason: Reason) -> Option<&'static str> {
    const NO_ADDRESS: &str =
        "a TOKEN event carries no address, so it is unknown and never another one";
    const ONE_TOKEN: &str = "asks nobody without the header that is the token";
    const ONE_HEADER: &str = "a TOKEN event carries one header";
    const NO_PATH: &str = "has no path";
    const NO_POLICY: &str = "is told yes or no";
    const NO_CERTIFICATE: &str = "its event carries no certificate, so there is none to look at";
    const NO_TARGET: &str = "its event states no address, so a proof ends at its target; the table sets no `dpop.public_urls`";
    const ENDS: &str = "is told by a policy, which ends with the moment, or keeps nothing";
    const UNREAD: &str = "its event is read no further";
    match (gateway, reason) {
        (
            Gateway::RestToken,
            Reason::AddressRefused | Reason::RouteAddressRefused | Reason::KeyAddressRefused,
        ) => Some(NO_ADDRESS),
        (Gateway::RestToken | Gateway::AppSync, Reason::CredentialMissing) => Some(ONE_TOKEN),
        (Gateway::WebSocket, Reason::PathRefused | Reason::PolicyInexpressible)
        | (Gateway::AppSync, Reason::PathRefused) => Some(NO_PATH),
        (
            Gateway::Http2Simple | Gateway::AppSync,
            Reason::PolicyInexpressible | Reason::PolicyTooLarge,
        ) => Some(NO_POLICY),
        (
            Gateway::RestToken | Gateway::AppSync,
            Reason::CertificateMalformed
            | Reason::CertificateIssuer
            | Reason::CertificateExpired
            | Reason::CertificateNotYetValid
            | Reason::CertificateRevoked
            | Reason::CertificateUnknown
            | Reason::CertificateAmbiguous
            | Reason::CrlUnavailable
            | Reason::DefaultEndpoint,
        ) => Some(NO_CERTIFICATE),
        (
            Gateway::RestToken,
            Reason::CredentialRepeated
            | Reason::TokenHint
            | Reason::ProofMalformed
            | Reason::ProofAlgorithm
            | Reason::ProofSignature
            | Reason::ProofTarget,
        ) => Some(ONE_HEADER),
        (
            Gateway::RestToken | Gateway::WebSocket | Gateway::AppSync,
            Reason::ProofTime
            | Reason::ProofToken
            | Reason::ProofKey
            | Reason::ProofReplayed
            | Reason::ProofNonce
            | Reason::ReplayStoreUnavailable,
        ) => Some(NO_TARGET),
        (_, Reason::EventMalformed | Reason::ConfigInvalid)
        | (Gateway::Http2Simple, Reason::AnswerKept) => None,
        (Gateway::Iot | Gateway::Unknown, _) => Some(UNREAD),
        (_, Reason::AnswerKept) => Some(ENDS),
        _ => None,
    }
}

#[tokio::test]
async fn every_reason_occurs_in_the_table_for_every_kind_that_can_meet_it() {
    let cells = cells().await;
    for gateway in Gateway::ALL.into_iter().chain(Gateway::STRANGERS) {
        let of_gateway = cells.iter().filter(|cell| cell.gateway == gateway);
        let shown: BTreeSet<&str> = of_gateway.map(|cell| cell.reason).collect();
        for reason in Reason::ALL {
            let is_shown = shown.contains(reason.as_str());
            let cause = out_of_reach(gateway, *reason);
            assert_eq!(
                is_shown,
                cause.is_none(),
                "{} and {}: {}",
                gateway.as_str(),
                reason.as_str(),
                cause.unwrap_or("no case shows it"),
            );
        }
    }
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
