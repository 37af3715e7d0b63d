"""Where `sam local start-api` answers otherwise than AWS: each deviation is shown beside `doorward local`, so that one that
was mended is noticed, and docs/sam-local.md says nothing that is not so."""

import functools
import json
import re

import sam_local
from harness import config, derive, events, sam
from harness.checks import Checks
from harness.keys import create_key
from harness.local import Local
from harness.web import ask

REST = sam_local.Kind("REST", "RestApi", ("--api", "rest"))
HERE, ELSEWHERE = "127.0.0.1", "127.0.0.2"
# What `start-api` calls the API; the policy of an event of it opens its routes.
API = "arn:aws:execute-api:us-east-1:123456789012:1234567890"
# A function with one answer, whatever it is asked: the policy beside it.
FIXED = """#!/bin/sh
api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation
while :; do
  headers=$(busybox wget -qS -O /dev/null "$api/next" 2>&1)
  id=$(echo "$headers" | busybox sed -n 's/^ *[Ll]ambda-[Rr]untime-[Aa]ws-[Rr]equest-[Ii]d: *//p')
  busybox wget -q -O /dev/null --post-file "$LAMBDA_TASK_ROOT/answer.json" "$api/${id%%[!0-9a-f-]*}/response"
done
"""


def bearer(key):
    return {"authorization": f"Bearer {key['secret']}"}


class Pair:
    """Prints and checks what both gateways answered to the same request."""

    def __init__(self, checks):
        self.checks = checks

    def differ(self, name, sam_answer, aws_answer, sam_expected, aws_expected):
        line = f"{name}: sam local {sam_answer}, AWS {aws_answer}"
        self.checks.equal(line, (sam_answer, aws_answer), (sam_expected, aws_expected))


def with_export(resources):
    """One more route, below a parameter and stricter than its neighbours: a policy for them holds a Deny of it."""
    derive.with_route(resources, "get", "/orders/export")


def with_fixed_answer(folder, resources):
    """The authorizer is a function with one answer."""
    with_export(resources)
    function = resources["AuthorizerFunction"]
    del function["Metadata"]
    function["Properties"]["CodeUri"] = str(folder)


def policies(pair, around):
    """A policy that the authorizer made for a caller at another address, with a Deny of one route: start-api lets its owner
    in from here, and to that route."""
    more = config.route("GET /orders/export", "jwt, api_key", "export")
    layer = around.folder / "layer with export"
    layer.mkdir()
    config.write(layer, around.configuration(REST), more)
    template = around.folder / "export.yaml"
    template.write_text(derive.one_api("RestApi", layer, around.variables, with_export))
    admin = functools.partial(sam.invoke, template, "KeyAdminFunction")
    key = create_key(admin, tenant="acme", scopes=["read"], addresses=[f"{ELSEWHERE}/32"])
    event = events.rest("GET /orders/7", {"Authorization": f"Bearer {key['secret']}"}, ELSEWHERE)
    event["methodArn"] = f"{API}/v1/GET/orders/7"
    event["requestContext"] |= {"accountId": "123456789012", "apiId": "1234567890"}
    answer = sam.invoke(template, "AuthorizerFunction", event)
    statements = answer["policyDocument"]["Statement"]
    print(f"        {json.dumps(statements)}")
    said = {(s["Effect"], "Condition" in s) for s in statements}
    pair.checks.that("the policy has an Allow under conditions and a Deny", {("Allow", True), ("Deny", False)} <= said, said)

    code = around.folder / "fixed"
    code.mkdir()
    (code / "bootstrap").write_text(FIXED)
    (code / "bootstrap").chmod(0o755)
    (code / "answer.json").write_text(json.dumps(answer))
    template = around.folder / "fixed.yaml"
    change = functools.partial(with_fixed_answer, code)
    template.write_text(derive.one_api("RestApi", layer, around.variables, change))
    home = around.folder / "local with export"
    home.mkdir()
    config.write(home, around.configuration(REST).replace(sam.HOST, sam.bridge_address()), more)
    with sam.StartApi("fixed", template) as started, Local(home, "--ttl", "60") as aws:
        its = aws.create_key(address=f"{ELSEWHERE}/32")

        def kept(path, source):
            return aws.ask("GET", path, bearer(its), source).status

        # From here on `doorward local` has the policy in its cache, as start-api has it in the function.
        pair.checks.equal("AWS: the address that the key is for passes", kept("/orders/7", ELSEWHERE), 200)
        for name, path, source in (
            ("an address that the condition excludes", "/orders/7", HERE),
            ("a route that the Deny names", "/orders/export", ELSEWHERE),
        ):
            pair.differ(name, started.ask("GET", path, bearer(key)).status, kept(path, source), 200, 403)


def answers(pair, around):
    """Refusals, what stands in them, and the cache."""
    template = around.template(REST)
    key = create_key(functools.partial(sam.invoke, template, "KeyAdminFunction"), tenant="acme", scopes=["read"])
    home = around.folder / "local REST"
    home.mkdir()
    config.write(home, around.configuration(REST).replace(sam.HOST, sam.bridge_address()))
    with sam.StartApi("answers", template) as started, Local(home, "--ttl", "60") as aws:
        its = aws.create_key()
        bad = {"authorization": "Bearer x"}
        refused = [gateway.ask("GET", "/orders", bad) for gateway in (started, aws)]
        pair.differ("the error `Unauthorized`", *(answer.status for answer in refused), 502, 401)
        missing = [gateway.ask("GET", "/orders", {}) for gateway in (started, aws)]
        told = [answer.headers.get("www-authenticate") for answer in missing]
        pair.differ("headers of the gateway responses", *told, None, "Bearer")
        opened = [answer.headers.get("access-control-allow-origin") for answer in missing]
        pair.differ("a refusal that a page may read", *opened, None, "*")

        before = started.decisions()
        for _ in range(2):
            pair.checks.equal("sam local: the key passes", started.ask("GET", "/orders", bearer(key)).status, 200)
        for _ in range(2):
            pair.checks.equal("AWS: the key passes", aws.ask("GET", "/orders", bearer(its)).status, 200)
        asked = started.decisions() - before
        line = next(line for line in reversed(aws.output().splitlines()) if "/orders" in line)
        pair.differ("the authorizer is asked at the second request", asked == 2, "cached" not in line, True, False)


def default_stage(pair, around):
    """An HTTP API at `$default`: start-api takes the `$` in the policy for the end of a line."""

    def change(resources):
        resources["HttpApi"]["Properties"]["StageName"] = "$default"

    kind = sam_local.Kind("default stage", "HttpApi", ("--api", "http", "--stage", "$default"), change)
    template = around.template(kind)
    key = create_key(functools.partial(sam.invoke, template, "KeyAdminFunction"), tenant="acme", scopes=["read"])
    with sam.StartApi("default-stage", template) as started, sam_local.local(kind, around) as aws:
        its = aws.create_key()
        for path in ("/orders", "/orders/7"):
            came = [gateway.ask("GET", path, bearer(k)).status for gateway, k in ((started, key), (aws, its))]
            pair.differ(f"a policy for the stage $default, {path}", *came, 403, 200)


def administration(pair, around):
    """IAM authorization: start-api hands unsigned requests on. Key administration refuses them, for want of a caller."""
    kind = sam_local.Kind("AdminApi", "AdminApi", ("--api", "rest"))
    with sam.StartApi("admin", around.template(kind)) as started, sam_local.local(kind, around) as aws:
        came = started.ask("GET", "/keys?tenant=acme", {})
        refused = ask("GET", f"{aws.admin}/keys?tenant=acme")
        pair.checks.equal("an unsigned request to an IAM-protected route", (came.status, refused.status), (403, 403))
        reached = [answer.json().get("type", "the gateway") for answer in (came, refused)]
        pair.differ("who refuses it", *reached, "urn:doorward:problem:forbidden", "the gateway")


def whole_template(pair, around):
    """The template as it is: of two APIs with the same paths one answers for both, now this and now that."""
    layer = around.folder / "layer whole"
    layer.mkdir()
    config.write(layer, around.configuration(REST))
    template = around.folder / "whole.yaml"
    template.write_text(derive.one_api(None, layer, around.variables))
    with sam.StartApi("whole", template) as started:
        mounted = re.findall(r"Mounting EchoFunction at http://[0-9.:]+(/orders) ", started.output())
        pair.checks.equal("two APIs with the same path, in one template, are one", mounted, ["/orders"])


def main():
    checks = Checks("sam_deviations")
    pair = Pair(checks)
    with sam_local.surroundings() as around:
        policies(pair, around)
        answers(pair, around)
        default_stage(pair, around)
        administration(pair, around)
        whole_template(pair, around)
    checks.close()


if __name__ == "__main__":
    main()
