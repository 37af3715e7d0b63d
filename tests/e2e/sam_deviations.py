"""Where `sam local start-api` answers otherwise than AWS: each deviation is shown beside `doorward local`, so that one that
was mended is noticed, and docs/sam-local.md says nothing that is not so."""

import functools
import re

import sam_local
from harness import config, derive, sam
from harness.checks import Checks
from harness.keys import create_key
from harness.local import Local
from harness.web import ask

REST = sam_local.Kind("REST", "RestApi", ("--api", "rest"))
ELSEWHERE = "203.0.113.7"


def bearer(key):
    return {"authorization": f"Bearer {key['secret']}"}


class Pair:
    """What both gateways did with the same request."""

    def __init__(self, checks):
        self.checks = checks

    def differ(self, name, of_sam, of_aws, expected_of_sam, expected_of_aws):
        line = f"{name}: sam local {of_sam}, doorward local {of_aws}"
        self.checks.equal(line, (of_sam, of_aws), (expected_of_sam, expected_of_aws))


def with_export(resources):
    """One more route, below a parameter and stricter than its neighbours: a policy for them holds a Deny of it."""
    derive.with_route(resources, "get", "/orders/export")


def policies(pair, around):
    """The authorizer refuses by a Deny beside what the caller may do. start-api reads the Allow alone, without conditions,
    and lets callers in whom the authorizer has just refused."""
    more = config.route("GET /orders/export", "jwt, api_key", "export")
    layer, home = around.folder / "layer with export", around.folder / "local with export"
    for folder, host in ((layer, sam.HOST), (home, sam.bridge_address())):
        folder.mkdir()
        config.write(folder, around.configuration(REST).replace(sam.HOST, host), more)
    template = around.folder / "export.yaml"
    template.write_text(derive.one_api("RestApi", layer, around.variables, with_export))
    admin = functools.partial(sam.invoke, template, "KeyAdminFunction")
    rights = {"tenant": "acme", "scopes": ["read"]}
    reader, elsewhere = create_key(admin, **rights), create_key(admin, **rights, addresses=[f"{ELSEWHERE}/32"])
    with sam.StartApi("policies", template) as started, Local(home, "--ttl", "0") as aws:
        its_reader, its_elsewhere = aws.create_key(), aws.create_key(address=f"{ELSEWHERE}/32")
        for name, path, key, its in (
            ("a route that the Deny names", "/orders/export", reader, its_reader),
            ("an address that the condition excludes", "/orders/7", elsewhere, its_elsewhere),
        ):
            came = [gateway.ask("GET", path, bearer(k)).status for gateway, k in ((started, key), (aws, its))]
            pair.differ(name, *came, 200, 403)
        pair.checks.equal("and the authorizer had refused both", started.decisions(2, "deny"), 2)


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

        # So far with a bad credential, and without one nobody is asked.
        before = started.decisions(1)
        for _ in range(2):
            pair.checks.equal("sam local: the key passes", started.ask("GET", "/orders", bearer(key)).status, 200)
        for _ in range(2):
            pair.checks.equal("doorward local: the key passes", aws.ask("GET", "/orders", bearer(its)).status, 200)
        asked = started.decisions(before + 2) - before
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
