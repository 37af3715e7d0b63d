use std::collections::BTreeSet;

use super::*;

fn listed(arn: &str) -> KeyAdminConfig {
    let (arn, is_prefix) = match arn.strip_suffix('*') {
        Some(arn) => (arn, true),
        None => (arn, false),
    };
    KeyAdminConfig {
        principals: vec![Principal {
            tenant: None,
            permissions: BTreeSet::new(),
            scopes: Grantable::All,
            arn: compared(arn),
            is_prefix,
        }],
        ..KeyAdminConfig::default()
    }
}

#[test]
fn a_role_is_known_by_its_sessions() {
    let session = "arn:aws:sts::111122223333:assumed-role/support/ann@example.org";
    for (arn, fits) in [
        ("arn:aws:iam::111122223333:role/support", true),
        ("arn:aws:iam::111122223333:role/team/a/support", true),
        ("arn:aws:iam::111122223333:role/sup*", true),
        ("arn:aws:iam::111122223333:role/*", true),
        ("arn:aws:iam::111122223333:role/sup", false),
        ("arn:aws:iam::111122223333:role/ann@example.org", false),
        ("arn:aws:iam::111122223334:role/support", false),
        ("arn:aws-cn:iam::111122223333:role/support", false),
        ("arn:aws:iam::111122223333:user/support", false),
        ("arn:aws:iam::111122223333:user/*", false),
    ] {
        assert_eq!(listed(arn).principal(session).is_some(), fits, "{arn}");
    }
}

#[test]
fn a_user_is_known_by_path_and_name() {
    let user = "arn:aws:iam::111122223333:user/team/ann";
    for (arn, fits) in [
        ("arn:aws:iam::111122223333:user/team/ann", true),
        ("arn:aws:iam::111122223333:user/team/*", true),
        ("arn:aws:iam::111122223333:user/ann", false),
        ("arn:aws:iam::111122223333:role/ann", false),
    ] {
        assert_eq!(listed(arn).principal(user).is_some(), fits, "{arn}");
    }
}

#[test]
fn scopes_stand_for_permissions() {
    let config = KeyAdminConfig::default();
    let held = ["keys:read", "keys:change", "orders:read"].map(str::to_owned);
    let permissions = config.permissions(&held.into());
    assert_eq!(permissions, [Permission::Read, Permission::Change].into());
}
