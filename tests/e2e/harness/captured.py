"""The captured events of tests/events, and what the authorizer must answer to each: as captured, with the placeholder that
stood in for a credential, and with a real key where the caller would have put one."""

import contextlib
import copy
import json
import pathlib
import tempfile

from . import ROOT, config, policy, tables, usage
from .emulator import MiniStack
from .keys import create_key
from .runtime import under_emulator

# Every route that a captured event asks for.
ROUTES = (
    "GET /request",
    "POST /lambda",
    "POST /lambda-request",
    "POST /lambda-token",
    "GET /items/{id}",
    "$connect",
    "$graphql",
)

UNAUTHORIZED = {"errorType": "Unauthorized", "errorMessage": "Unauthorized"}
FAILED = {"errorType": "Unavailable", "errorMessage": "no decision"}

# Samples of documentation hold placeholders such as `IP`, or name another API than their ARN does; they are refused
# whatever credential they carry. The rest is served.
CONTRADICTORY = {
    "http_api_v1_documentation",
    "http_api_v2_documentation",
    "http_api_v2_powertools",
    "http_api_v2_without_cookies",
    "http_api_v2_without_identity_source",
    "rest_request_documentation",
    "rest_token_any_stage",
    "websocket_latest",
}
APPSYNC = {"appsync", "appsync_powertools"}
NOT_SERVED = {"iot_core"}


def events():
    """Name and event, in order."""
    return {path.stem: json.loads(path.read_text()) for path in sorted((ROOT / "tests" / "events").glob("*.json"))}


def with_credential(event, text):
    """The event as if its caller had sent `text` as `Authorization`, wherever the gateway repeats it."""
    event = copy.deepcopy(event)
    if "authorizationToken" in event:
        event["authorizationToken"] = text
    if isinstance(event.get("identitySource"), list):
        event["identitySource"] = [text]
    elif "identitySource" in event:
        event["identitySource"] = text
    for field in ("headers", "multiValueHeaders"):
        if isinstance(event.get(field), dict):
            headers = {name: value for name, value in event[field].items() if name.lower() != "authorization"}
            event[field] = {**headers, "Authorization": [text] if field == "multiValueHeaders" else text}
    return event


@contextlib.contextmanager
def surroundings():
    """A table with one key, made by the released key-admin, and the environment of an authorizer that reads it."""
    with tempfile.TemporaryDirectory(prefix="doorward-captured-") as folder, MiniStack() as aws:
        tables.create(aws.endpoint)
        path = config.write(pathlib.Path(folder), config.KEYS, *(config.route(route, "api_key", "read") for route in ROUTES))
        env = {
            "DOORWARD_CONFIG": str(path),
            "DOORWARD_KEYS_TABLE": "KeysTable",
            "AWS_ENDPOINT_URL_DYNAMODB": aws.endpoint,
        }
        with under_emulator("key-admin", env) as key_admin:
            key = create_key(key_admin.invoke, tenant="acme", scopes=["read"])
        # Key administration counts nothing and knows no such variable.
        yield {**env, "DOORWARD_COUNTERS_TABLE": "CountersTable"}, key


def check(checks, authorizer, key):
    """Asks the authorizer all of them."""
    for name, event in events().items():
        captured = authorizer.invoke(event)
        keyed = authorizer.invoke(with_credential(event, f"Bearer {key['secret']}"))
        checks.that(f"{name}: the answer does not hold the key", key["secret"] not in json.dumps(keyed))
        if name in NOT_SERVED:
            checks.equal(f"{name}: is not served", (captured, keyed), (FAILED, FAILED))
        elif name in CONTRADICTORY:
            denied = forbidden("*" if name == "rest_token_any_stage" else arn_of(event))
            checks.equal(f"{name}: is refused as it contradicts itself", (captured, keyed), (denied, denied))
        elif name in APPSYNC:
            refused = {"isAuthorized": False, "resolverContext": {"reason": "unauthenticated"}, "ttlOverride": 0}
            checks.equal(f"{name}: the placeholder is refused", captured, refused)
            told = facts(key, keyed.get("resolverContext", {}))
            checks.equal(
                f"{name}: the key is let in", keyed, {"isAuthorized": True, "resolverContext": told, "ttlOverride": 300}
            )
        else:
            checks.equal(f"{name}: the placeholder is refused", captured, UNAUTHORIZED)
            let_in(checks, name, keyed, arn_of(event), key)


def check_usage(checks, env, key, more=0):
    """After `check`, `more` calls beside, and the end of the function: every event with the key that was served is counted,
    and no other."""
    served = len(events()) - len(NOT_SERVED) - len(CONTRADICTORY) + more
    counted = usage.counted(env["AWS_ENDPOINT_URL_DYNAMODB"], key)
    checks.equal("the use of the key is counted when the function has ended", counted, {"allowed": served})


def let_in(checks, name, answer, arn, key):
    if not checks.equal(f"{name}: the key gets a policy", sorted(answer), ["context", "policyDocument", "principalId"]):
        return
    checks.equal(f"{name}: of the key", answer["principalId"], f"key|{key['id']}")
    checks.equal(f"{name}: with what the backend needs", answer["context"], facts(key, answer["context"]))
    prefix = "/".join(arn.split("/")[:2])
    opened = [
        policy.allows(answer["policyDocument"], asked) for asked in (arn, f"{prefix}/GET/secret", f"{prefix}/PUT/request")
    ]
    checks.equal(f"{name}: it opens what was asked for, and nothing else", opened, [True, False, False])


def facts(key, came):
    """The context of the key; when it expires is as the key was made, and must be a time."""
    expires = came.get("expiresAt", "")
    return {
        "credential": "api_key",
        "expiresAt": expires if expires.isdigit() else "a time",
        "keyId": key["id"],
        "keyName": "end to end",
        "scopes": "read",
        "subject": key["id"],
        "tenant": "acme",
    }


def forbidden(arn):
    statement = {"Effect": "Deny", "Action": "execute-api:Invoke", "Resource": [arn]}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return {"principalId": "unknown", "policyDocument": document, "context": {"reason": "forbidden"}}


def arn_of(event):
    return event.get("methodArn") or event["routeArn"]
