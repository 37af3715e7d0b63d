use super::*;

#[test]
fn refuses_an_event_that_disagrees_with_its_arn() {
    for (pointer, value) in [
        ("/requestContext/accountId", "999988887777"),
        ("/requestContext/apiId", "zzzzzz"),
        ("/requestContext/stage", "dev"),
        ("/requestContext/httpMethod", "POST"),
        ("/httpMethod", "get"),
    ] {
        refused(
            &with(rest(), pointer, json!(value)),
            EventKind::RestRequest,
            pointer.rsplit('/').next().unwrap_or_default(),
        );
    }
    refused(
        &with(http_api(), "/requestContext/http/method", json!("POST")),
        EventKind::HttpApiV2,
        "method",
    );
}

#[test]
fn refuses_arns_that_cannot_be() {
    for arn in [
        "",
        "arn",
        "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3",
        "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3/prod",
        "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3/prod/",
        "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3/*/GET/",
        "arn:aws:execute-api:eu-west-1:111122223333:*/prod/GET/",
        "arn:aws:execute-api:*:111122223333:a1b2c3/prod/GET/",
        "arn:aws:execute-api::111122223333:a1b2c3/prod/GET/",
        "arn:aws:execute-api:eu-west-1:${x}:a1b2c3/prod/GET/",
        "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3/$latest/GET/",
        "arn:aws:s3:eu-west-1:111122223333:a1b2c3/prod/GET/",
        "arn:a*:execute-api:eu-west-1:111122223333:a1b2c3/prod/GET/",
        "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3/prod/get/orders",
        "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3/prod/*/orders",
        &format!("{ARN}{}", "x".repeat(1600)),
    ] {
        refused(
            &json!({"type": "TOKEN", "methodArn": arn}),
            EventKind::RestToken,
            "methodArn",
        );
    }
    refused(&json!({"type": "TOKEN"}), EventKind::RestToken, "methodArn");
    refused(
        &json!({"type": "TOKEN", "methodArn": null}),
        EventKind::RestToken,
        "methodArn",
    );
}

#[test]
fn reads_the_arn_by_position() {
    for (rest, verb, path) in [
        ("prod/GET", "GET", "/"),
        ("prod/GET/", "GET", "/"),
        ("prod/GET/a:b/prod/POST/x", "GET", "/a:b/prod/POST/x"),
        ("prod/POST//double/", "POST", "//double/"),
        ("$default/DELETE/a/*/b?c=$x", "DELETE", "/a/*/b?c=$x"),
        ("ESTestInvoke-stage/GET/", "GET", "/"),
        ("prod/GET/x/$connect", "GET", "/x/$connect"),
    ] {
        let arn = format!("arn:aws-us-gov:execute-api:us-gov-west-1:111122223333:a1b2c3/{rest}");
        let decoded =
            decoded(&json!({"type": "TOKEN", "methodArn": arn, "authorizationToken": "t"}));
        let request = decoded.request.unwrap();
        let Target::Http {
            verb: found,
            path: at,
        } = &request.target
        else {
            panic!("{rest}")
        };
        assert_eq!((found.as_str(), at.as_str()), (verb, path));
        let stage = rest.split('/').next().unwrap();
        let prefix =
            format!("arn:aws-us-gov:execute-api:us-gov-west-1:111122223333:a1b2c3/{stage}");
        assert_eq!(request.stage.arn_prefix(), prefix);
        assert_eq!(
            format!("{prefix}/{}", decoded.asked.unwrap().resource()),
            arn
        );
    }
}

#[test]
fn knows_the_test_call_of_the_console() {
    let event = json!({
        "type": "REQUEST", "methodArn": "arn:aws:execute-api:ap-southeast-2:111122223333:ja8pdvfjf6/ESTestInvoke-stage/GET/",
        "resource": "/", "path": "/", "httpMethod": "GET", "headers": {"Authorizer": "b"}, "multiValueHeaders": {"Authorizer": ["b"]},
        "queryStringParameters": {}, "multiValueQueryStringParameters": {}, "pathParameters": {}, "stageVariables": {},
        "requestContext": {"resourceId": "test-invoke-resource-id", "resourcePath": "/", "httpMethod": "GET", "path": "/",
            "accountId": "111122223333", "stage": "test-invoke-stage", "apiId": "ja8pdvfjf6",
            "identity": {"apiKey": "test-invoke-api-key", "sourceIp": "test-invoke-source-ip"}},
    });
    assert!(accepted(&event, EventKind::RestRequest).peer.is_none());
    refused(
        &with(rest(), "/requestContext/stage", json!("test-invoke-stage")),
        EventKind::RestRequest,
        "stage",
    );
}
