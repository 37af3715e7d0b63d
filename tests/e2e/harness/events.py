"""Events as API Gateway sends them to an authorizer (AWS: "Input to a Lambda authorizer")."""

API = "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3d4e5"
STAGE = "v1"
DOMAIN = "api.example.com"


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
            "domainName": DOMAIN,
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


def of_http_1(route, headers, source_ip="203.0.113.7"):
    """An event of an HTTP API, payload 1.0."""
    return {"version": "1.0", **rest(route, headers, source_ip), "identitySource": None, "authorizationToken": None}


def of_http_2(route, headers, source_ip="203.0.113.7"):
    """An event of an HTTP API, payload 2.0."""
    method, path = route.split(" ")
    http = {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": source_ip, "userAgent": "e2e"}
    return {
        "version": "2.0",
        "type": "REQUEST",
        "routeArn": f"{API}/$default/{method}{path}",
        "identitySource": [headers.get("Authorization")],
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": "",
        "headers": {name.lower(): value for name, value in headers.items()},
        "requestContext": {
            "accountId": "111122223333",
            "apiId": "a1b2c3d4e5",
            "domainName": DOMAIN,
            "domainPrefix": "api",
            "http": http,
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": route,
            "stage": "$default",
            "time": "12/Mar/2020:19:03:58 +0000",
            "timeEpoch": 1583348638390,
        },
    }


def address(event):
    """Where the client of `event` called: what `htu` of its proof must say."""
    context = event["requestContext"]
    return f"https://{DOMAIN}{context.get('path') or event['rawPath']}"


def with_certificate(event, pem):
    """The event as it comes over mutual TLS with the certificate `pem`."""
    shown = {"clientCert": {"clientCertPem": pem}}
    context = dict(event["requestContext"])
    if "identity" in context:
        context["identity"] = {**context["identity"], **shown}
    else:
        context["authentication"] = shown
    return {**event, "requestContext": context}
