"""The template at work under `sam local`, with the released binaries in containers: every kind of authorizer that
`start-api` plays, route by route, beside `doorward local`, which answers as AWS does; and `sam local invoke` with the
events of infra/events."""

import contextlib
import dataclasses
import functools
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from harness import E2E, ROOT, config, derive, limits, requests, sam, tables
from harness.checks import Checks
from harness.emulator import MiniStack
from harness.keys import create_key
from harness.local import Local
from harness.oidc import Oidc
from harness.process import Process, free_port

EVENTS = ROOT / "infra" / "events"
# What stands in the events of infra/events for what a user puts in.
CREDENTIAL, KEY_ID = "PUT-A-KEY-OR-A-TOKEN-HERE", "PUT-THE-ID-OF-A-KEY-HERE"


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind of authorizer: its API in the template, how the template is changed for it, the options of `doorward local`
    for the same, and what the configuration says more under `answers`."""

    name: str
    api: str
    options: tuple
    change: object = None
    answers: str = ""


KINDS = (
    Kind("REST REQUEST", "RestApi", ("--api", "rest")),
    Kind("REST TOKEN", "RestApi", ("--api", "rest", "--authorizer", "token"), derive.token_authorizer),
    Kind("HTTP 2.0", "HttpApi", ("--api", "http")),
    Kind("HTTP 2.0 simple", "HttpApi", ("--api", "http"), derive.simple_responses, 'http_api = "simple"\n'),
    Kind("HTTP 1.0", "HttpApi", ("--api", "http", "--authorizer", "1.0"), derive.payload_1),
)


@dataclasses.dataclass
class Surroundings:
    """What stands behind the functions: tables, an issuer, and the folder of the templates."""

    folder: pathlib.Path
    provider: Oidc
    variables: dict

    def template(self, kind):
        """The template of one kind, with its configuration as the layer."""
        layer = self.folder / f"layer {kind.name}"
        layer.mkdir(exist_ok=True)
        config.write(layer, self.configuration(kind))
        path = self.folder / f"{kind.name}.yaml"
        path.write_text(derive.one_api(kind.api, layer, self.variables, kind.change))
        return path

    def configuration(self, kind):
        # A route without an authorizer is a route of the template; `doorward local` has those of the configuration only.
        health = '\n[[routes]]\nroute = "GET /health"\ncredentials = ["anonymous"]\n'
        limited = config.KEYS + config.LIMITS + kind.answers + config.routes("writes")
        return limited + health + config.oidc(self.provider)


@contextlib.contextmanager
def surroundings():
    host = sam.bridge_address()
    with (
        tempfile.TemporaryDirectory(prefix="doorward-sam-") as folder,
        MiniStack(host) as aws,
        Oidc(host, seen_as=sam.HOST) as provider,
    ):
        tables.create(aws.endpoint)
        variables = {"AWS_ENDPOINT_URL_DYNAMODB": aws.endpoint.replace(host, sam.HOST)}
        try:
            yield Surroundings(pathlib.Path(folder), provider, variables)
        finally:
            sam.remove_containers(folder)


def refused(kind, gateway):
    """The answer to a bad credential. Of the error `Unauthorized` SAM makes 502, where API Gateway answers 401. A simple
    response is a no like any other."""
    return 403 if kind.answers else 502 if gateway == "sam" else 401


def status_of_local(kind, request):
    return refused(kind, "local") if request.error else request.status


def status_of_sam(kind, request):
    """SAM answers 403 to every request without a route."""
    if request.error:
        return refused(kind, "sam")
    return 403 if request.name == "no route" else request.status


def one_kind(checks, kind, around):
    """Every request, to `doorward local` for the answer of AWS and to `sam local`."""
    with local(kind, around) as gateway:
        wanted = requests.requests(gateway.create_key(), around.provider, kind.api, f"local, {kind.name}")
        requests.send(checks, f"local, {kind.name}", wanted, gateway.ask, functools.partial(status_of_local, kind))
    template = around.template(kind)
    invoke = functools.partial(sam.invoke, template, "KeyAdminFunction")
    key = create_key(invoke, tenant="acme", scopes=["read"])
    with sam.StartApi(kind.name.replace(" ", "-"), template) as gateway:
        wanted = requests.requests(key, around.provider, kind.api, f"sam, {kind.name}")
        requests.send(checks, f"sam, {kind.name}", wanted, gateway.ask, functools.partial(status_of_sam, kind))
        limits.used_up(checks, kind.name, around.provider, lambda token: post(gateway, token))
        revoked(checks, kind, gateway, invoke, key)


def local(kind, around):
    """`doorward local` with the same configuration and issuer; nothing is kept, as with `sam local`."""
    folder = around.folder / f"local {kind.name}"
    folder.mkdir()
    # Here nobody calls this machine by the name that containers have for it.
    config.write(folder, around.configuration(kind).replace(sam.HOST, sam.bridge_address()))
    return Local(folder, "--ttl", "0", *kind.options)


def post(gateway, token):
    return gateway.ask("POST", "/orders", {"authorization": f"Bearer {token}"})


def revoked(checks, kind, gateway, invoke, key):
    """A key that works, until it is revoked."""

    def status():
        return gateway.ask("GET", "/orders", {"authorization": f"Bearer {key['secret']}"}).status

    before = status()
    told = invoke({"operation": "revoke", "id": key["id"], "reason": "end to end"})
    # What the authorizer remembers of a key: `cache_seconds` of the configuration.
    time.sleep(1.2)
    came = (before, told["key"]["status"], status())
    expected = (200, "revoked", refused(kind, "sam"))
    checks.equal(f"{kind.name}: a revoked key is refused: {came}", came, expected)


def event(name, **put_in):
    """An event of infra/events, with a user's values in place of the words that ask for them."""
    text = (EVENTS / f"{name}.json").read_text()
    for word, value in ((CREDENTIAL, put_in.get("credential")), (KEY_ID, put_in.get("key"))):
        text = text.replace(word, value) if value else text
    return json.loads(text)


def invocations(checks, around):
    """The events of infra/events under the configuration of infra/config: as they lie there, and with a real key put in."""
    template = around.folder / "as committed.yaml"
    template.write_text(derive.one_api("RestApi", ROOT / "infra" / "config", around.variables))
    admin = functools.partial(sam.invoke, template, "KeyAdminFunction")
    authorizer = functools.partial(sam.invoke, template, "AuthorizerFunction")
    made = admin(event("key_admin_create"))
    checks.equal("key_admin_create: makes a key", made.get("key", {}).get("status"), "active")
    key, secret = made["key"]["id"], made["secret"]
    for name in ("authorizer_rest_request", "authorizer_rest_token", "authorizer_http_1", "authorizer_http_2"):
        answer = authorizer(event(name))
        checks.equal(f"{name}: as it is, is refused", answer.get("errorType"), "Unauthorized")
        answer = authorizer(event(name, credential=secret))
        context = answer.get("context", {})
        print(f"        {json.dumps(context, sort_keys=True)}")
        checks.equal(f"{name}: with a key, is allowed", (context.get("keyId"), context.get("tenant")), (key, "acme"))
        effects = [statement["Effect"] for statement in answer["policyDocument"]["Statement"]]
        checks.equal(f"{name}: by a policy", effects[:1], ["Allow"])
    shown = admin(event("key_admin_get", key=key))
    checks.equal("key_admin_get: shows it", shown.get("key", {}).get("id"), key)
    checks.equal("key_admin_get: as it is, finds nothing", admin(event("key_admin_get")).get("errorType"), "invalid")
    listed = admin(event("key_admin_list"))
    checks.that("key_admin_list: lists it", key in [item["id"] for item in listed.get("keys", [])], listed)
    ended = admin(event("key_admin_revoke", key=key))
    checks.equal("key_admin_revoke: ends it", ended.get("key", {}).get("status"), "revoked")
    answer = authorizer(event("authorizer_rest_request", credential=secret))
    checks.equal("authorizer_rest_request: with the revoked key, is refused", answer.get("errorType"), "Unauthorized")
    for name, route in (("echo_rest", "/orders/{id}"), ("echo_http", "GET /orders/{id}")):
        answer = sam.invoke(template, "EchoFunction", event(name))
        body = json.loads(answer["body"])
        told = (answer["statusCode"], body["route"], body["authorizer"]["tenant"])
        checks.equal(f"{name}: the backend tells what it was told: {told}", told, (200, route, "acme"))
    used = {path.stem for path in EVENTS.glob("*.json")}
    checks.equal("every event of infra/events was sent", used, ASKED)


def tried(checks):
    """`run try_sam`, as somebody with a terminal does: every line that it prints comes to what it says."""
    command = [sys.executable, E2E / "try_sam.py"]
    with Process("try", command, {**os.environ, "PORT": str(free_port())}, E2E) as serving:
        serving.line_with("Ctrl-C stops it", seconds=120)
        for status, says, line in re.findall(r"^# (\d{3}): (.+)\n(curl .+)$", serving.output(), re.MULTILINE):
            came = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=60).stdout.split(" ", 2)[1:2]
            checks.equal(f"try_sam: {says}: {came}", came, [status])


ASKED = {f"authorizer_{kind}" for kind in ("rest_request", "rest_token", "http_1", "http_2")}
ASKED |= {f"key_admin_{operation}" for operation in ("create", "get", "list", "revoke")} | {"echo_rest", "echo_http"}


def main():
    checks = Checks("sam_local")
    with surroundings() as around:
        for kind in KINDS:
            one_kind(checks, kind, around)
        invocations(checks, around)
    tried(checks)
    checks.close()


if __name__ == "__main__":
    main()
