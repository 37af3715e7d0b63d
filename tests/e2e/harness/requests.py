"""Requests to the routes of template.yaml and what AWS answers to them: one list for every gateway that a suite puts before
the authorizer, so that where two of them differ it is the gateway that differs."""

import dataclasses
import json


@dataclasses.dataclass(frozen=True)
class Request:
    """One request, the status that AWS answers with, and what the backend must be told where it is reached. `error` says
    that the authorizer refuses it by an error and not by a policy."""

    name: str
    method: str
    path: str
    headers: dict
    status: int
    context: dict = dataclasses.field(default_factory=dict)
    error: bool = False


def requests(key, provider, api, caller):
    """All of them: each route with good, bad and no credentials, keys and tokens. `key` is one of the tenant `acme` with
    the scope `read`; `caller` is who writes, under a limit of their own."""
    secret = key["secret"]
    of_key = {"credential": "api_key", "keyId": key["id"], "tenant": "acme", "scopes": "read"}
    reader = provider.user_token("rs256", "ann", "read", tenant="globex")
    writer = provider.user_token("es256", caller, "read write")
    admin = provider.user_token("rs256", "eve", "admin")
    of_reader = {"credential": "jwt", "subject": "ann", "issuer": provider.issuer, "tenant": "globex", "scopes": "read"}
    mistyped = secret[:-1] + ("0" if secret[-1] != "0" else "1")
    nowhere = 403 if api == "RestApi" else 404

    def bearer(text):
        return {"authorization": f"Bearer {text}"}

    return [
        Request("a key", "GET", "/orders", bearer(secret), 200, of_key),
        Request("a key, another route", "GET", "/orders/7", bearer(secret), 200, of_key),
        Request("a key, in its own scheme", "GET", "/orders/7", {"authorization": f"ApiKey {secret}"}, 200, of_key),
        Request("a key without the scope", "POST", "/orders", bearer(secret), 403),
        Request("a key where a token is wanted", "GET", "/admin", bearer(secret), 401, error=True),
        Request("a key in a header of its own alone", "GET", "/orders", {"x-api-key": secret}, 401),
        Request("a mistyped key", "GET", "/orders", bearer(mistyped), 401, error=True),
        Request("a token", "GET", "/orders", bearer(reader), 200, of_reader),
        Request("a token, another route", "GET", "/orders/7", bearer(reader), 200, of_reader),
        Request("a token without the scope", "POST", "/orders", bearer(reader), 403),
        Request("a token without the scope", "GET", "/admin", bearer(reader), 403),
        Request("a token that may write", "POST", "/orders", bearer(writer), 200, {"subject": caller}),
        Request("a token of an administrator", "GET", "/admin", bearer(admin), 200, {"subject": "eve"}),
        Request("a token that was changed", "GET", "/orders", bearer(changed(reader)), 401, error=True),
        Request("no token at all", "GET", "/orders", bearer("x"), 401, error=True),
        Request("no credential", "GET", "/orders", {}, 401),
        Request("no credential", "POST", "/orders", {}, 401),
        Request("no credential", "GET", "/orders/7", {}, 401),
        Request("no credential", "GET", "/admin", {}, 401),
        Request("health is for everybody", "GET", "/health", {}, 200),
        Request("no route", "GET", "/nowhere", bearer(secret), nowhere),
    ]


def changed(token):
    """A token that says something else under the same signature."""
    header, payload, signature = token.split(".")
    middle = len(payload) // 2
    other = "A" if payload[middle] != "A" else "B"
    return f"{header}.{payload[:middle]}{other}{payload[middle + 1 :]}.{signature}"


def send(checks, gateway, wanted, ask, status=lambda request: request.status):
    """Sends all of them and prints for each one the status and what the backend was told. `status` gives what this gateway
    answers where it is not as AWS."""
    for request in wanted:
        answer = ask(request.method, request.path, request.headers)
        told = backend_context(answer)
        expected = status(request)
        line = f"{gateway:16} {request.method:4} {request.path:9} {request.name}: {answer.status}"
        line += f" {json.dumps(told, sort_keys=True)}" if told else ""
        came = {name: told.get(name) for name in request.context} if answer.status == 200 else {}
        checks.equal(line, (answer.status, came), (expected, request.context if expected == 200 else {}))


def backend_context(answer):
    """What the authorizer said, as the echo of the template tells it, or within an event as that of `doorward local`."""
    if answer.status != 200:
        return {}
    body = answer.json()
    told = body.get("authorizer") or body.get("requestContext", {}).get("authorizer") or {}
    return told.get("lambda", told)
