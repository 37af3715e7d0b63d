//! The roles of `template.yaml`, held against what the functions do: both run as wired, over a `DynamoDB` that refuses every
//! call that their role does not grant. Nothing may be refused, and nothing may be granted that was not used.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod asked;
mod authorizer;
mod house;
mod key_admin;
mod role;
mod services;

use asked::Asked;
use house::House;
use role::Role;

#[tokio::test]
async fn the_authorizer_needs_what_its_role_grants_and_no_more() {
    let role = Role::of("AuthorizerRole");
    let house = House::open(role.clone()).await;
    authorizer::work(&house).await;
    house.check(&role);
}

#[tokio::test]
async fn key_administration_needs_what_its_role_grants_and_no_more() {
    let role = Role::of("KeyAdminRole");
    let house = House::open(role.clone()).await;
    key_admin::work(&house).await;
    house.check(&role);
}

#[tokio::test]
async fn a_call_that_is_not_granted_is_refused() {
    let mut role = Role::of("KeyAdminRole");
    role.statements
        .retain(|one| !one.actions.contains("dynamodb:PutItem"));
    let house = House::open(role).await;
    let refused =
        house.command(r#"{"operation":"create","tenant":"a","name":"n","environment":"live"}"#);
    assert_eq!(refused.await, Err("unavailable".to_owned()));
    assert!(!house.denied().is_empty());
}

#[test]
fn what_is_granted_for_some_partitions_is_refused_for_the_records_of_keys() {
    let record = |action: &str| Asked {
        action: format!("dynamodb:{action}"),
        resource: "${KeysTable.Arn}".to_owned(),
        leading_key: "key#0".to_owned(),
        sources: vec![],
    };
    for (role, refused) in [
        (
            "AuthorizerRole",
            &["Query", "PutItem", "UpdateItem", "DeleteItem"][..],
        ),
        ("KeyAdminRole", &["UpdateItem", "DeleteItem"][..]),
    ] {
        let role = Role::of(role);
        for action in refused {
            assert!(!role.grants(&record(action)), "{action}");
        }
        assert!(role.grants(&record("GetItem")));
    }
}

#[test]
fn no_role_may_scan_or_do_everything() {
    for name in ["AuthorizerRole", "KeyAdminRole", "EchoRole"] {
        for statement in &Role::of(name).statements {
            for action in &statement.actions {
                assert!(
                    !action.contains('*') && !action.ends_with("Scan"),
                    "{name}: {action}"
                );
            }
            assert!(
                !statement.resources.contains("*"),
                "{name}: {}",
                statement.name
            );
        }
    }
}
