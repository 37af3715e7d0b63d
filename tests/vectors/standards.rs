//! The examples of RFC 7515 appendix A as far as they are JWTs, RFC 7519 and RFC 9068.
//!
//! The payload of the appendix names no audience. A gate that has found everything else good says so, and one that has
//! not says something else; so the audience is where these examples must end, after their signature was found good.

use doorward_engine::Reason;
use doorward_keys::Timestamp;
use doorward_tests::documents::Documents;
use serde_json::json;

use crate::{Gate, KEYS};

const PAYLOAD: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
const RS256_SIGNATURE: &str = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
const ES256_SIGNATURE: &str =
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

/// Before the time in the example's `exp`.
const THEN: i64 = 1_300_819_379;

/// A gate with its keys in memory: for a key that is known the signature is checked before the claims.
async fn gate() -> Gate {
    let gate = Gate::of(&[format!(
        "issuer = \"joe\"\njwks_uri = \"{KEYS}\"\nprofile = \"legacy\"\nalgorithms = [\"RS256\", \"ES256\"]\naudiences = [\"api\"]"
    )]);
    publish(&gate.documents);
    gate.issuers.prefetch(Timestamp::from_unix(THEN)).await;
    gate
}

fn publish(documents: &Documents) {
    let keys = json!({ "keys": [
        // RFC 7515 appendix A.2.1.
        {
            "kty": "RSA", "e": "AQAB",
            "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
        },
        // RFC 7515 appendix A.3.1.
        {
            "kty": "EC", "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        },
    ]});
    documents.publish(KEYS, keys.to_string());
}

async fn outcome(token: &str, now: i64) -> Reason {
    gate()
        .await
        .verify_at(token, now)
        .await
        .unwrap_err()
        .reason()
}

#[tokio::test]
async fn finds_the_signature_of_rfc_7515_a_2_good() {
    let token = format!("eyJhbGciOiJSUzI1NiJ9.{PAYLOAD}.{RS256_SIGNATURE}");
    assert_eq!(outcome(&token, THEN).await, Reason::TokenAudience);
    let forged = token.replace("cC4h", "cC4i");
    assert_eq!(outcome(&forged, THEN).await, Reason::TokenSignature);
}

#[tokio::test]
async fn finds_the_signature_of_rfc_7515_a_3_good() {
    let token = format!("eyJhbGciOiJFUzI1NiJ9.{PAYLOAD}.{ES256_SIGNATURE}");
    assert_eq!(outcome(&token, THEN).await, Reason::TokenAudience);
    let forged = token.replace("DtEh", "DtEi");
    assert_eq!(outcome(&forged, THEN).await, Reason::TokenSignature);
}

#[tokio::test]
async fn refuses_the_symmetric_example_of_rfc_7515_a_1() {
    let token = format!(
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{PAYLOAD}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    );
    assert_eq!(outcome(&token, THEN).await, Reason::TokenAlgorithm);
}

#[tokio::test]
async fn refuses_the_unsecured_example_of_rfc_7515_a_5() {
    let token = format!("eyJhbGciOiJub25lIn0.{PAYLOAD}.");
    assert_eq!(outcome(&token, THEN).await, Reason::TokenAlgorithm);
}

#[tokio::test]
async fn refuses_payloads_that_are_no_claims() {
    // RFC 8037 appendix A.4 and RFC 7515 appendix A.4: their signatures are good, and they are no JWTs.
    for token in [
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
        "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn",
    ] {
        assert_eq!(outcome(token, THEN).await, Reason::TokenMalformed);
    }
}

#[tokio::test]
async fn refuses_the_json_form_of_rfc_7515_a_6() {
    let token = format!(
        "{{\"payload\":\"{PAYLOAD}\",\"signatures\":[{{\"protected\":\"eyJhbGciOiJSUzI1NiJ9\",\"signature\":\"{RS256_SIGNATURE}\"}}]}}"
    );
    assert_eq!(outcome(&token, THEN).await, Reason::TokenMalformed);
}

#[tokio::test]
async fn holds_the_example_to_its_end() {
    let token = format!("eyJhbGciOiJFUzI1NiJ9.{PAYLOAD}.{ES256_SIGNATURE}");
    assert_eq!(
        outcome(&token, 1_300_819_380 + 59).await,
        Reason::TokenAudience
    );
    assert_eq!(
        outcome(&token, 1_300_819_380 + 60).await,
        Reason::TokenExpired
    );
}
