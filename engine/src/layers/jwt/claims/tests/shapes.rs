//! Tokens as real providers write them.

use super::*;

fn cognito(profile: &str) -> std::sync::Arc<IssuerConfig> {
    issuer(&format!(
        "issuer = \"https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_x\"\nalgorithms = [\"RS256\"]\n\
         profile = \"{profile}\"\nclient_ids = [\"app1\", \"app2\"]"
    ))
}

#[test]
fn reads_tokens_as_auth0_writes_them() {
    let config = config(
        r#"
        profile = "legacy"
        claims = { scopes = "permissions", client_id = "azp", tenant = "org_id", roles = ["https://acme.example/roles"] }
        "#,
    );
    let claims = json!({
        "iss": "https://acme.example", "sub": "auth0|123", "aud": ["api", "https://acme.example/userinfo"],
        "iat": NOW, "exp": NOW + 86400, "azp": "app", "scope": "openid profile",
        "permissions": ["read:orders", "write:orders"], "org_id": "org_1",
        "https://acme.example/roles": ["admin"],
    });
    let subject = accepts(&config, &claims);
    assert_eq!(subject.principal(), "user|https://acme.example|auth0%7C123");
    assert_eq!(subject.scopes, words(&["read:orders", "write:orders"]));
    assert_eq!(subject.roles, words(&["admin"]));
    assert_eq!(subject.tenant.as_deref(), Some("org_1"));
    assert_eq!(subject.client_id.as_deref(), Some("app"));
    let text = with(claims, json!({"permissions": "read:orders"}));
    refuses(&config, &text, Reason::TokenClaim);
}

#[test]
fn reads_tokens_as_entra_writes_them() {
    let config = config(
        r#"
        profile = "legacy"
        claims = { scopes = "scp", roles = "roles", client_id = "azp", tenant = "tid", subject = "oid" }
        "#,
    );
    let claims = json!({
        "aud": "api", "iat": NOW, "nbf": NOW, "exp": NOW + 4000, "azp": "app", "oid": "o", "sub": "s",
        "scp": "Files.Read User.Read", "roles": ["Admin"], "tid": "t", "ver": "2.0",
    });
    let subject = accepts(&config, &claims);
    assert_eq!(subject.subject, "o");
    assert_eq!(subject.scopes, words(&["Files.Read", "User.Read"]));
    assert_eq!(subject.roles, words(&["Admin"]));
    assert_eq!(subject.tenant.as_deref(), Some("t"));
}

#[test]
fn reads_tokens_as_keycloak_and_okta_write_them() {
    let keycloak = config(
        "profile = \"legacy\"\nclaims = { roles = \"realm_access.roles\", client_id = \"azp\" }\nrequired_claims = { typ = [\"Bearer\"] }",
    );
    let claims = json!({
        "aud": ["api", "account"], "exp": NOW + 300, "iat": NOW, "sub": "u", "typ": "Bearer", "azp": "web",
        "realm_access": {"roles": ["offline_access", "admin"]}, "scope": "email profile",
    });
    assert_eq!(
        accepts(&keycloak, &claims).roles,
        words(&["offline_access", "admin"])
    );
    refuses(
        &keycloak,
        &with(claims, json!({"typ": "ID"})),
        Reason::TokenClaim,
    );

    let okta = config(
        "profile = \"legacy\"\nclaims = { scopes = \"scp\", client_id = \"cid\" }\nscope_format = \"list\"",
    );
    let claims =
        json!({"aud": "api", "exp": NOW + 300, "sub": "u", "cid": "web", "scp": ["a", "b"]});
    assert_eq!(accepts(&okta, &claims).scopes, words(&["a", "b"]));
}

#[test]
fn reads_access_tokens_of_cognito_by_their_client() {
    let config = cognito("cognito_access");
    let claims = json!({
        "sub": "u", "token_use": "access", "client_id": "app2", "version": 2, "scope": "orders/read openid",
        "cognito:groups": ["staff"], "username": "u", "auth_time": NOW, "iat": NOW, "exp": NOW + 3600,
        "jti": "1", "origin_jti": "2",
    });
    let subject = accepts(&config, &claims);
    assert_eq!(subject.scopes, words(&["orders/read", "openid"]));
    assert_eq!(subject.roles, words(&["staff"]));
    assert_eq!(subject.client_id.as_deref(), Some("app2"));
    for (changed, reason) in [
        (json!({"token_use": "id"}), Reason::TokenType),
        (json!({"token_use": null}), Reason::TokenClaim),
        (json!({"client_id": "other"}), Reason::TokenAudience),
        (json!({"client_id": ["app1"]}), Reason::TokenClaim),
        (json!({"cognito:groups": "staff"}), Reason::TokenClaim),
    ] {
        refuses(&config, &with(claims.clone(), changed), reason);
    }
    refuses(
        &config,
        &without(claims.clone(), "token_use"),
        Reason::TokenType,
    );
    refuses(
        &config,
        &without(claims.clone(), "client_id"),
        Reason::TokenAudience,
    );
    let machine = without(without(claims, "cognito:groups"), "username");
    assert!(
        accepts(
            &config,
            &with(machine, json!({"sub": "app1", "client_id": "app1"}))
        )
        .is_client
    );
}

#[test]
fn reads_id_tokens_of_cognito_by_their_audience() {
    let config = cognito("cognito_id");
    let claims = json!({
        "sub": "u", "token_use": "id", "aud": "app1", "cognito:groups": ["staff"], "scope": "ignored",
        "iat": NOW, "exp": NOW + 3600,
    });
    let subject = accepts(&config, &claims);
    assert_eq!(subject.client_id.as_deref(), Some("app1"));
    assert_eq!(subject.roles, words(&["staff"]));
    assert_eq!(subject.scopes, words(&[]));
    for (changed, reason) in [
        (json!({"token_use": "access"}), Reason::TokenType),
        (json!({"aud": "other"}), Reason::TokenAudience),
        (json!({"aud": ["app1", "other"]}), Reason::TokenClaim),
    ] {
        refuses(&config, &with(claims.clone(), changed), reason);
    }
    refuses(
        &config,
        &without(claims.clone(), "aud"),
        Reason::TokenAudience,
    );
    // An access token of the same client has no `aud`.
    let access =
        json!({"sub": "u", "token_use": "access", "client_id": "app1", "iat": NOW, "exp": NOW + 1});
    refuses(&config, &access, Reason::TokenType);
}

#[test]
fn an_access_token_of_cognito_may_be_held_to_an_audience_too() {
    let config = issuer(
        "issuer = \"https://idp.example\"\nalgorithms = [\"RS256\"]\nprofile = \"cognito_access\"\n\
         client_ids = [\"app\"]\naudiences = [\"api\"]",
    );
    let claims = json!({"sub": "u", "token_use": "access", "client_id": "app", "aud": "api", "exp": NOW + 1});
    accepts(&config, &claims);
    refuses(&config, &without(claims, "aud"), Reason::TokenAudience);
}
