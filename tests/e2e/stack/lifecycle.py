"""The life of a key, over the API of key administration and by direct invocation, as its owner meets it."""

import time

from .deployed import CACHE, TTL

EVERYWHERE = TTL + CACHE + 0.5


def check(checks, stack):
    checks.equal("AdminApi: an unsigned request is refused", stack.ask("AdminApi", "GET", "/keys").status, 403)
    new = {"tenant": "acme", "name": "over https", "environment": "test", "scopes": ["read"]}
    created = stack.ask_signed("POST", "/keys", new)
    first = created.json()
    _shown(checks, "POST /keys", created, 201)
    key, secret = f"/keys/{first['key']['id']}", first["secret"]

    def works(label, printed, method="GET", path="/orders"):
        return f"{label}, {method} {path}", stack.ask_with("RestApi", method, path, printed).status

    def held(*expected):
        for (label, status), wanted in expected:
            checks.equal(f"RestApi: {label}: {status}", status, wanted)

    held((works("the key", secret), 200), (works("the key", secret, "POST"), 403))
    _shown(checks, "PATCH /keys/{id}", stack.ask_signed("PATCH", key, {"scopes": ["read", "write"]}), 200)
    time.sleep(EVERYWHERE)
    held((works("with one scope more", secret, "POST"), 200))

    rotated = stack.ask_signed("POST", f"{key}/rotate", {"overlapSeconds": 3600})
    _shown(checks, "POST /keys/{id}/rotate", rotated, 201)
    successor = rotated.json()
    new_key, new_secret = f"/keys/{successor['key']['id']}", successor["secret"]
    held((works("the old secret within the overlap", secret), 200), (works("the new secret", new_secret), 200))

    for operation, status in (("disable", 401), ("enable", 200), ("revoke", 401)):
        answer = stack.ask_signed("POST", f"{new_key}/{operation}", {})
        _shown(checks, f"POST /keys/{{id}}/{operation}", answer, 200)
        within = answer.json().get("effectiveWithinSeconds")
        checks.equal(f"AdminApi: {operation}: counts within {within} s", within, TTL + CACHE)
        time.sleep(EVERYWHERE)
        held((works(f"after {operation}", new_secret), status))
    _shown(checks, "DELETE /keys/{id} before its time", stack.ask_signed("DELETE", new_key), 409)
    _shown(checks, "GET /keys/{id}", stack.ask_signed("GET", new_key), 200)
    _listed(checks, stack, key, new_key)


def _listed(checks, stack, key, new_key):
    audit = stack.ask_signed("GET", f"{new_key}/audit")
    actions = [change["action"] for change in audit.json()["changes"]]
    checks.equal(f"GET /keys/{{id}}/audit: {actions}", actions, ["create", "disable", "enable", "revoke"])
    audit = stack.ask_signed("GET", "/audit?tenant=acme")
    _shown(checks, "GET /audit", audit, 200)
    listed = stack.ask_signed("GET", "/keys?tenant=acme&limit=100")
    ids = {f"/keys/{item['id']}" for item in listed.json()["keys"]}
    checks.that(f"GET /keys: {listed.status}, both keys are listed", {key, new_key} <= ids, ids)
    usage = stack.ask_signed("GET", f"{key}/usage?by=day")
    _shown(checks, "GET /keys/{id}/usage", usage, 200)
    other = stack.ask_signed("GET", "/keys/key_01JD3Z9M8Q4W2Y6B0C5F7H1K3N")
    _shown(checks, "GET /keys/{id} of no key", other, 404)


def direct(checks, stack):
    """The same function, invoked directly."""
    made = stack.invoke({"operation": "create", "tenant": "acme", "name": "direct", "environment": "test", "scopes": []})
    key = made["key"]["id"]
    for operation, expected in (
        ({"operation": "get", "id": key}, "active"),
        ({"operation": "update", "id": key, "name": "renamed"}, "active"),
        ({"operation": "disable", "id": key}, "disabled"),
        ({"operation": "enable", "id": key}, "active"),
        ({"operation": "revoke", "id": key}, "revoked"),
        ({"operation": "delete", "id": key}, "refused"),
    ):
        answer = stack.invoke(operation)
        came = answer.get("key", {}).get("status") or answer.get("errorType")
        checks.equal(f"key-admin: {operation['operation']}: {came}", came, expected)


def _shown(checks, name, answer, status):
    checks.equal(f"AdminApi: {name}: {answer.status}", answer.status, status)
