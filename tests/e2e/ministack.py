"""MiniStack, twice: its DynamoDB under the contract of the key stores, and the whole template deployed onto it, with the
rights of the functions' roles enforced."""

import json
import os
import pathlib
import re
import subprocess
import tempfile
import time

import botocore.auth
import botocore.awsrequest
import botocore.credentials

from harness import E2E, ROOT, config, derive, limits, tables
from harness.checks import Checks
from harness.emulator import MiniStack
from harness.keys import create_key
from harness.oidc import Oidc
from harness.runtime import CREDENTIALS
from harness.web import ask

STACK = "e2e"


def contract(checks):
    """The same suite as over the memory store and the embedded DynamoDB."""
    with MiniStack() as aws:
        env = {**os.environ, "DOORWARD_TEST_DYNAMODB_ENDPOINT": aws.endpoint}
        command = ["cargo", "test", "--locked", "--package", "doorward-tests", "--test", "contract", "endpoint::"]
        done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True)
        print(done.stdout)
        passed = re.search(r"test result: ok\. (\d+) passed; 0 failed", done.stdout)
        checks.that(
            "the contract holds on MiniStack's DynamoDB",
            done.returncode == 0 and passed and int(passed[1]) > 20,
            done.stderr[-2000:],
        )
        used = tables.client("dynamodb", aws.endpoint).list_tables()["TableNames"]
        checks.that("and it was MiniStack that was asked", len(used) > 20, used)


def deploy(aws, folder, config_file):
    """Deploys the template; gives its outputs."""
    template = folder / "template.yaml"
    template.write_text(derive.deployable(config_file))
    tables.client("s3", aws.endpoint).create_bucket(Bucket="artifacts")
    env = {**os.environ, **CREDENTIALS, "AWS_ENDPOINT_URL": aws.endpoint}
    command = ["sam", "deploy", "--template-file", str(template), "--stack-name", STACK, "--s3-bucket", "artifacts"]
    command += ["--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--region", CREDENTIALS["AWS_REGION"]]
    done = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise RuntimeError(f"sam deploy failed:\n{done.stdout[-3000:]}\n{done.stderr[-2000:]}")
    stack = tables.client("cloudformation", aws.endpoint).describe_stacks(StackName=STACK)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


class Deployed:
    """The stack as callers see it."""

    def __init__(self, aws, outputs):
        self.aws = aws
        self.outputs = outputs

    def url(self, api, path):
        return f"{self.aws.endpoint}/_aws/execute-api/{self.outputs[api]}/v1{path}"

    def ask(self, api, method, path, credential=None):
        headers = {"authorization": credential} if credential else {}
        return ask(method, self.url(api, path), headers, b"{}" if method == "POST" else None)

    def ask_signed(self, method, path, body=None):
        """A request to the administration, signed with SigV4."""
        data = json.dumps(body).encode() if body is not None else b""
        request = botocore.awsrequest.AWSRequest(
            method, self.url("AdminApiId", path), {"content-type": "application/json"}, data
        )
        credentials = botocore.credentials.Credentials(
            CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"]
        )
        botocore.auth.SigV4Auth(credentials, "execute-api", CREDENTIALS["AWS_REGION"]).add_auth(request)
        return ask(method, request.url, dict(request.headers.items()), data or None)

    def invoke(self, event):
        """The key-admin function, invoked directly."""
        client = tables.client("lambda", self.aws.endpoint)
        answer = client.invoke(FunctionName=self.outputs["KeyAdminFunctionName"], Payload=json.dumps(event))
        return json.loads(answer["Payload"].read())


def callers(checks, stack, provider, api):
    key = create_key(stack.invoke, tenant="acme", scopes=["read"])
    token = provider.user_token("rs256", "ann", "read write", tenant="globex")
    name = api.removesuffix("Id")

    def status(method, path, credential=None):
        return stack.ask(api, method, path, credential).status

    answer = stack.ask(api, "GET", "/orders/7", f"Bearer {key['secret']}")
    context = answer.json().get("authorizer", answer.json())
    expected = {"keyId": key["id"], "tenant": "acme"}
    checks.equal(
        f"{name}: a key reaches the backend with its context",
        {field: context.get(field) for field in expected},
        expected,
    )
    checks.equal(
        f"{name}: and, from the cache, another of its routes", status("GET", "/orders", f"Bearer {key['secret']}"), 200
    )
    checks.equal(f"{name}: but not one without the scope", status("POST", "/orders", f"Bearer {key['secret']}"), 403)
    checks.equal(f"{name}: a token reaches the backend", status("POST", "/orders", f"Bearer {token}"), 200)
    checks.equal(f"{name}: the cached answer does not open other routes", status("GET", "/admin", f"Bearer {token}"), 403)
    checks.equal(f"{name}: no credential is unauthorized", status("GET", "/orders"), 401)
    # MiniStack answers 500 to every error of an authorizer of an HTTP API, `Unauthorized` or not.
    refused = 401 if api == "RestApiId" else 500
    checks.equal(f"{name}: a broken token is refused", status("GET", "/orders", "Bearer a.b.c"), refused)
    checks.equal(f"{name}: health is for everybody", status("GET", "/health"), 200)
    limits.used_up(checks, name, provider, lambda token: stack.ask(api, "POST", "/orders", f"Bearer {token}"))


def refusals(checks, stack):
    refused = stack.ask("RestApiId", "GET", "/orders", "Bearer a.b.c")
    checks.equal("RestApi: 401 says which scheme is wanted", refused.headers.get("www-authenticate"), "Bearer")
    checks.equal("RestApi: a page may read the refusal", refused.headers.get("access-control-allow-origin"), "*")


def administration(checks, stack):
    checks.equal("AdminApi: an unsigned request is refused", stack.ask("AdminApiId", "GET", "/keys").status, 403)
    created = stack.ask_signed(
        "POST", "/keys", {"tenant": "acme", "name": "over https", "environment": "test", "scopes": ["read"]}
    )
    checks.equal("AdminApi: a signed request makes a key", created.status, 201)
    secret = created.json().get("secret", "")
    checks.equal("AdminApi: the key works", stack.ask("RestApiId", "GET", "/orders", f"Bearer {secret}").status, 200)
    # The role allows what every operation needs, and nothing else.
    key = f"/keys/{created.json()['key']['id']}"
    for method, path, status in (
        ("GET", key, 200),
        ("POST", f"{key}/rotate", 201),
        ("POST", f"{key}/disable", 200),
        ("POST", f"{key}/enable", 200),
        ("POST", f"{key}/revoke", 200),
        ("GET", f"{key}/audit", 200),
        ("GET", "/keys?tenant=acme", 200),
    ):
        body = {} if method == "POST" else None
        checks.equal(
            f"AdminApi: {method} {path.replace(key, '/keys/{id}')}", stack.ask_signed(method, path, body).status, status
        )


def access_log(checks, aws, stack):
    """A batch of the log goes through the subscription of the template to the function, and is counted under its role."""
    key = create_key(stack.invoke, tenant="acme", scopes=["read"])["id"]
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": log_line(key, number, now)} for number in range(40)]
    events.append({"timestamp": now, "message": log_line("-", 40, now)})
    logs = tables.client("logs", aws.endpoint)
    for group in (f"/doorward/{STACK}/rest-access", f"/doorward/{STACK}/http-access"):
        filters = logs.describe_subscription_filters(logGroupName=group)["subscriptionFilters"]
        checks.equal(f"{group}: one subscription, for lines with a key", len(filters), 1)
        # MiniStack looks for the words of a pattern and knows no patterns for JSON, so it is to hand on everything.
        name, function = filters[0]["filterName"], filters[0]["destinationArn"]
        logs.put_subscription_filter(logGroupName=group, filterName=name, filterPattern="", destinationArn=function)
        logs.create_log_stream(logGroupName=group, logStreamName="s")
        logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=events)
    total = {}
    for _ in range(60):
        total = stack.invoke({"operation": "usage", "id": key}).get("usage", {}).get("total", {})
        if total.get("requests", {}).get("total", 0) >= 80:
            break
        time.sleep(0.5)
    checks.equal("access log: every request with the key is counted", total.get("requests", {}).get("total"), 80)
    checks.equal("access log: the cache answered what was not decided", total.get("cached"), 80)
    shown = stack.ask_signed("GET", f"/keys/{key}/usage?by=day")
    checks.equal("AdminApi: GET /keys/{id}/usage", shown.status, 200)


def log_line(key, number, now):
    """A line as the template has it: its own format, filled in."""
    line = json.loads(tables.template()["Resources"]["RestApi"]["Properties"]["AccessLogSetting"]["Fn::If"][1]["Format"])
    return json.dumps({**line, "requestId": str(number), "at": str(now), "status": "200", "keyId": key})


def rights(checks, aws, outputs):
    """What the roles must not be able to do, asked with their own credentials."""
    account = tables.client("sts", aws.endpoint)
    roles = tables.client("iam", aws.endpoint).list_roles()["Roles"]
    table = outputs["KeysTableName"]
    # MiniStack knows no conditions on partitions. What is granted for some partitions only (the authorizer's Query, key
    # administration's UpdateItem and DeleteItem) is held to them by tests/privileges.
    for part, forbidden in (
        ("Authorizer", ("scan", "put_item", "update_item", "delete_item")),
        ("KeyAdmin", ("scan",)),
    ):
        arn = next(role["Arn"] for role in roles if f"{part}Role" in role["RoleName"])
        given = account.assume_role(RoleArn=arn, RoleSessionName="e2e")["Credentials"]
        dynamodb = tables.client("dynamodb", aws.endpoint, given)
        key = {"pk": {"S": "key#0"}, "sk": {"S": "key"}}
        arguments = {
            "scan": {},
            "put_item": {"Item": key},
            "update_item": {"Key": key},
            "delete_item": {"Key": key},
            "query": {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": key["pk"]}},
            "get_item": {"Key": key},
        }
        for operation in forbidden:
            checks.equal(
                f"{part}: {operation} is refused",
                outcome(dynamodb, operation, table, arguments),
                "AccessDeniedException",
            )
        checks.equal(f"{part}: reading one key is allowed", outcome(dynamodb, "get_item", table, arguments), "done")


def outcome(dynamodb, operation, table, arguments):
    try:
        getattr(dynamodb, operation)(TableName=table, **arguments[operation])
    except dynamodb.exceptions.ClientError as error:
        return error.response["Error"]["Code"]
    return "done"


def main():
    checks = Checks("ministack")
    contract(checks)
    launcher = E2E / "harness" / "ministack_openapi.py"
    with (
        tempfile.TemporaryDirectory(prefix="doorward-stack-") as folder,
        MiniStack(enforce=True, launcher=launcher) as aws,
        Oidc() as provider,
    ):
        folder = pathlib.Path(folder)
        config_file = config.write(folder, config.KEYS_LIMITS_AND_ROUTES, config.oidc(provider))
        outputs = deploy(aws, folder, config_file)
        stack = Deployed(aws, outputs)
        for api in ("RestApiId", "HttpApiId"):
            callers(checks, stack, provider, api)
        refusals(checks, stack)
        administration(checks, stack)
        access_log(checks, aws, stack)
        rights(checks, aws, outputs)
    checks.close()


if __name__ == "__main__":
    main()
