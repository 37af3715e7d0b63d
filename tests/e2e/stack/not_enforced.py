"""What MiniStack lets pass and AWS would not: each is shown, so that one that was mended is noticed. docs/emulators.md says
who covers it. Run last: it takes rights away that AWS would ask for."""

import json

from harness.keys import create_key

from .rights import KEY, credentials, outcome

INSIDE = "203.0.113.7"


def check(checks, stack):
    _addresses(checks, stack)
    _partitions(checks, stack)
    _flush(checks, stack)
    _permission(checks, stack)


def _addresses(checks, stack):
    key = create_key(stack.invoke, tenant="acme", scopes=["read"], addresses=[f"{INSIDE}/32"])
    headers = {"authorization": f"Bearer {key['secret']}"}
    forged = stack.ask("RestApi", "GET", "/orders", {**headers, "x-forwarded-for": INSIDE}).status
    checks.equal(f"MiniStack believes X-Forwarded-For of anybody: {forged}, AWS 403", forged, 200)
    elsewhere = stack.ask("RestApi", "GET", "/orders", headers).status
    checks.equal(f"MiniStack reads no condition of a kept policy: {elsewhere}, AWS 403", elsewhere, 200)


def _partitions(checks, stack):
    dynamodb = stack.client("dynamodb", credentials(stack, "KeyAdmin"))
    came = outcome(dynamodb, "delete_item", {"TableName": stack.outputs["KeysTableName"], "Key": KEY})
    checks.equal(f"MiniStack reads no condition of a role: {came}, AWS AccessDeniedException", came, "done")


def _flush(checks, stack):
    stage = {"restApiId": stack.outputs["RestApiId"], "stageName": "v1"}
    came = outcome(stack.client("apigateway"), "flush_stage_authorizers_cache", stage)
    checks.equal(f"MiniStack flushes no cache of an authorizer: {came}, AWS done", came, "NotFoundException")


def _permission(checks, stack):
    client, function = stack.client("lambda"), stack.outputs["AuthorizerFunctionName"]
    statements = json.loads(client.get_policy(FunctionName=function)["Policy"])["Statement"]
    checks.equal("one permission for each API", len(statements), 2)
    for statement in statements:
        client.remove_permission(FunctionName=function, StatementId=statement["Sid"])
    key = create_key(stack.invoke, tenant="acme", scopes=["read"])
    came = [stack.ask_with(api, "GET", "/orders", key["secret"]).status for api in ("RestApi", "HttpApi")]
    checks.equal(f"MiniStack asks no permission of the authorizer: {came}, AWS [500, 500]", came, [200, 200])
