"""An authorizer as it is written at home in Python: PyJWT for tokens, boto3 for keys, with a memory for keys; and the loop of a
custom runtime, as small as can be."""

import hashlib
import http.client
import json
import os
import time

import boto3
import jwt

ISSUER = os.environ["ISSUER"]
KEYS = {key.key_id: key for key in jwt.PyJWKSet.from_dict(json.loads(os.environ["KEY_SET"])).keys}
DYNAMO = boto3.client("dynamodb")
TABLE = os.environ["KEYS_TABLE"]
DENIED = os.environ.get("DENIED_ADDRESS")
KEPT_SECONDS = 60
known = {}


def scopes_of_key(key):
    digest = hashlib.sha256(key.encode()).hexdigest()
    now = time.time()
    entry = known.get(digest)
    if entry and entry[1] > now:
        return entry[0]
    item = DYNAMO.get_item(TableName=TABLE, Key={"pk": {"S": f"key#{digest}"}, "sk": {"S": "key"}}).get("Item", {})
    is_good = item.get("status", {}).get("S") == "active"
    is_good = is_good and float(item.get("expires_at", {}).get("N", "inf")) > now
    scopes = [scope["S"] for scope in item.get("scopes", {}).get("L", [])] if is_good else None
    if len(known) > 10_000:
        known.clear()
    known[digest] = (scopes, now + KEPT_SECONDS)
    return scopes


def answer(effect, principal, resource):
    statement = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    return {"principalId": principal, "policyDocument": policy, "context": {"subject": principal}}


def handler(event):
    scheme, _, credential = event["headers"].get("authorization", "").partition(" ")
    arn = event["methodArn"]
    if event["requestContext"]["identity"]["sourceIp"] == DENIED:
        return answer("Deny", "nobody", arn)
    if scheme == "Bearer":
        try:
            key = KEYS[jwt.get_unverified_header(credential)["kid"]]
            claims = jwt.decode(credential, key, algorithms=["RS256", "ES256"], audience="api", issuer=ISSUER)
        except (jwt.PyJWTError, KeyError):
            raise PermissionError("Unauthorized") from None
        is_allowed = "orders:read" in claims.get("scope", "").split()
        return answer("Allow" if is_allowed else "Deny", claims["sub"], arn)
    scopes = scopes_of_key(credential) if scheme == "ApiKey" else None
    if not scopes:
        raise PermissionError("Unauthorized")
    return answer("Allow" if "orders:read" in scopes else "Deny", "key", arn)


def main():
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    while True:
        connection.request("GET", "/2018-06-01/runtime/invocation/next")
        response = connection.getresponse()
        request_id = response.headers["lambda-runtime-aws-request-id"]
        event = json.loads(response.read())
        path = f"/2018-06-01/runtime/invocation/{request_id}/response"
        try:
            said = handler(event)
        except PermissionError as error:
            path = f"/2018-06-01/runtime/invocation/{request_id}/error"
            said = {"errorType": "Exception", "errorMessage": str(error)}
        connection.request("POST", path, json.dumps(said))
        connection.getresponse().read()


main()
