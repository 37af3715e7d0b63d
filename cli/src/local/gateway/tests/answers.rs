//! What the authorizer answers, and the status that comes of it.

use serde_json::json;

use super::*;

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table, one row for each answer")]
async fn turns_what_the_authorizer_does_into_the_documented_status() {
    let implicit = statement("Allow", "prod/GET/other");
    let rows = vec![
        (
            "exact",
            Err("Unauthorized".to_owned()),
            401,
            json!({"message": "Unauthorized"}),
            401,
        ),
        (
            "longer",
            Err("Unauthorized: why".to_owned()),
            500,
            json!({"message": null}),
            500,
        ),
        (
            "panics",
            Err("panic".to_owned()),
            500,
            json!({"message": null}),
            500,
        ),
        (
            "text",
            Ok(json!("Allow")),
            500,
            json!({"message": null}),
            500,
        ),
        (
            "no policy",
            Ok(json!({"principalId": "p"})),
            500,
            json!({"message": null}),
            500,
        ),
        (
            "null policy",
            Ok(json!({"principalId": "p", "policyDocument": null})),
            500,
            json!({"message": null}),
            500,
        ),
        (
            "no statement",
            Ok(policy(&json!([]))),
            500,
            json!({"message": null}),
            500,
        ),
        (
            "no principal",
            Ok(json!({"policyDocument": {"Statement": [statement("Allow", "*")]}})),
            500,
            json!({"message": null}),
            500,
        ),
        (
            "null context",
            Ok(
                json!({"principalId": "p", "policyDocument": {"Statement": [statement("Allow", "*")]}, "context": null}),
            ),
            500,
            json!({"message": null}),
            500,
        ),
        (
            "implicit",
            Ok(policy(&json!([implicit]))),
            403,
            json!({"Message": "User is not authorized to access this resource"}),
            403,
        ),
        (
            "explicit",
            Ok(policy(&json!([
                statement("Allow", "*"),
                statement("Deny", "*")
            ]))),
            403,
            json!({"Message": "User is not authorized to access this resource with an explicit deny"}),
            403,
        ),
    ];
    for (name, answer, rest, rest_body, http) in rows {
        let rest_bench = bench(REST, AUTHORIZATION, 0, vec![("t", answer.clone())]);
        let (status, body, headers) = rest_bench
            .call("GET /orders/1", &[("authorization", "t")])
            .await;
        assert_eq!((status.as_u16(), body), (rest, rest_body), "{name}");
        assert_eq!(headers["access-control-allow-origin"], "*");
        assert!(headers.contains_key("x-amzn-errortype"));
        let http_bench = bench(Payload::Http2, AUTHORIZATION, 0, vec![("t", answer)]);
        let (status, body, _) = http_bench
            .call("GET /orders/1", &[("authorization", "t")])
            .await;
        let expected = match http {
            401 => "Unauthorized",
            403 => "Forbidden",
            _ => "Internal Server Error",
        };
        assert_eq!(
            (status.as_u16(), body),
            (http, json!({"message": expected})),
            "{name}"
        );
    }
}

#[tokio::test]
async fn takes_flat_context_only_where_aws_does() {
    let mut answer = policy(&json!([statement("Allow", "*")]));
    answer["context"] = json!({"list": [1]});
    for (payload, status) in [(REST, 500), (Payload::Http1, 500), (Payload::Http2, 200)] {
        let bench = bench(payload, AUTHORIZATION, 0, vec![("t", Ok(answer.clone()))]);
        let (found, _, _) = bench.call("GET /orders/1", &[("authorization", "t")]).await;
        assert_eq!(found.as_u16(), status, "{payload:?}");
    }
}

#[tokio::test]
async fn expects_a_boolean_where_simple_responses_are_enabled() {
    let rows = [
        (json!({"isAuthorized": true}), 200),
        (json!({"isAuthorized": false}), 403),
        (json!({"isAuthorized": "true"}), 500),
        (policy(&json!([statement("Allow", "*")])), 500),
    ];
    for (answer, status) in rows {
        let bench = bench(
            Payload::Http2Simple,
            AUTHORIZATION,
            0,
            vec![("t", Ok(answer.clone()))],
        );
        let (found, _, _) = bench.call("GET /orders/1", &[("authorization", "t")]).await;
        assert_eq!(found.as_u16(), status, "{answer}");
    }
}
