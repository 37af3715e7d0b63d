"""Events as API Gateway sends them to an authorizer (AWS: "Input to a Lambda authorizer")."""

API = "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3d4e5"
STAGE = "v1"


def arn(route):
    """The ARN of `GET /orders/7` at the API of these events."""
    method, path = route.split(" ")
    return f"{API}/{STAGE}/{method}{path}"


def rest(route, headers, source_ip="203.0.113.7"):
    """A REST REQUEST event."""
    method, path = route.split(" ")
    return {
        "type": "REQUEST",
        "methodArn": arn(route),
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "accountId": "111122223333",
            "apiId": "a1b2c3d4e5",
            "stage": STAGE,
            "resourcePath": path,
            "path": f"/{STAGE}{path}",
            "httpMethod": method,
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "identity": {"sourceIp": source_ip, "userAgent": "e2e"},
        },
    }


def bearer(route, token):
    return rest(route, {"Authorization": f"Bearer {token}"})
