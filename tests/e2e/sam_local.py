"""The template at work: `sam local start-api` with the released binaries in containers. A key made by the key-admin Lambda
and a token of a real provider each reach the echo function with what the authorizer says of them."""

import functools
import json
import os
import pathlib
import subprocess
import tempfile

from harness import config, derive, limits, tables
from harness.checks import Checks
from harness.emulator import MiniStack
from harness.keys import create_key
from harness.oidc import Oidc
from harness.process import Process, free_port
from harness.web import ask

IMAGE = "doorward-e2e/provided:al2023"
HOST = "host.docker.internal"
# Unsigned requests would pass here: what IAM protects is not served.
COMMON = ["--skip-pull-image", "--invoke-image", IMAGE, "--add-host", f"{HOST}:host-gateway"]


def bridge_address():
    """The address of this machine that containers reach and nobody outside does."""
    form = "{{range .IPAM.Config}}{{.Gateway}}{{end}}"
    found = subprocess.run(["docker", "network", "inspect", "bridge", "--format", form], capture_output=True, text=True)
    return found.stdout.strip() or "172.17.0.1"


def invoke(template, function, event):
    """One event to a function in a container; SAM exits 0 whatever came of it."""
    command = ["sam", "local", "invoke", function, "-t", str(template), "-e", "-", *COMMON]
    done = subprocess.run(command, input=json.dumps(event), capture_output=True, text=True, timeout=120)
    try:
        return json.loads(done.stdout)
    except ValueError as error:
        raise RuntimeError(f"{function} answered {done.stdout!r}:\n{done.stderr[-2000:]}") from error


def remove_containers():
    """SAM leaves a container behind now and then."""
    listed = ["docker", "ps", "-aq", "--filter", "label=sam.cli.container.type=lambda"]
    left = subprocess.run(listed, capture_output=True, text=True).stdout.split()
    if left:
        subprocess.run(["docker", "rm", "-f", *left], capture_output=True)


def one_api(checks, api, template, provider, key):
    port = free_port()
    command = ["sam", "local", "start-api", "-t", template, "-p", port, "--warm-containers", "LAZY", *COMMON]
    with Process(f"sam-{api}", command, dict(os.environ), template.parent) as gateway:
        gateway.until_listening(port, seconds=60)

        def asked(method, path, credential=None):
            headers = {"authorization": credential} if credential else {}
            return ask(method, f"http://127.0.0.1:{port}{path}", headers, b"{}" if method == "POST" else None)

        def context(answer):
            return answer.json().get("authorizer", {}) if answer.status == 200 else {"status": answer.status}

        def part(answer, *names):
            came = context(answer)
            return {name: came.get(name) for name in ("status", *names) if name in came}

        reader = provider.user_token("rs256", "ann", "read", tenant="globex")
        answer = asked("GET", "/orders/7", f"Bearer {key['secret']}")
        expected = {"keyId": key["id"], "tenant": "acme"}
        checks.equal(f"{api}: a key reaches the backend with its context", part(answer, "keyId", "tenant"), expected)
        checks.equal(f"{api}: with the path it asked for", answer.json().get("path"), "/orders/7")
        answer = asked("GET", "/orders/7", f"Bearer {reader}")
        expected = {"subject": "ann", "issuer": provider.issuer, "tenant": "globex"}
        checks.equal(
            f"{api}: a token reaches the backend with its context",
            part(answer, "subject", "issuer", "tenant"),
            expected,
        )
        es256 = provider.user_token("es256", "bob", "read write")
        answer = asked("POST", "/orders", f"Bearer {es256}")
        checks.equal(f"{api}: so does an ES256 token, on another route", part(answer, "subject"), {"subject": "bob"})

        checks.equal(
            f"{api}: a key without the scope is denied", asked("POST", "/orders", f"Bearer {key['secret']}").status, 403
        )
        checks.equal(f"{api}: a token without the scope is denied", asked("POST", "/orders", f"Bearer {reader}").status, 403)
        missing = asked("GET", "/orders")
        checks.equal(
            f"{api}: no credential is unauthorized",
            (missing.status, missing.json()),
            (401, {"message": "Unauthorized"}),
        )
        # SAM answers 502 where API Gateway answers 401 to the error `Unauthorized`; nothing passes either way.
        made_up = key["secret"][:-1] + ("0" if key["secret"][-1] != "0" else "1")
        for name, path, credential in (
            ("a made-up key", "/orders", made_up),
            ("a broken token", "/orders", "a.b.c"),
            ("nonsense", "/orders", "x"),
            ("a key where a token is wanted", "/admin", key["secret"]),
        ):
            checks.equal(f"{api}: {name} is refused", asked("GET", path, f"Bearer {credential}").status, 502)
        health = asked("GET", "/health")
        checks.equal(f"{api}: health is for everybody", (health.status, health.json()), (200, {"status": "ok"}))
        limits.used_up(checks, api, provider, lambda token: asked("POST", "/orders", f"Bearer {token}"))


def main():
    checks = Checks("sam_local")
    host = bridge_address()
    with (
        tempfile.TemporaryDirectory(prefix="doorward-sam-") as folder,
        MiniStack(host) as aws,
        Oidc(host, seen_as=HOST) as provider,
    ):
        folder = pathlib.Path(folder)
        layer = folder / "layer"
        layer.mkdir()
        config.write(layer, config.KEYS_LIMITS_AND_ROUTES, config.oidc(provider))
        tables.create(aws.endpoint)
        variables = {"AWS_ENDPOINT_URL_DYNAMODB": aws.endpoint.replace(host, HOST)}
        try:
            for api in ("RestApi", "HttpApi"):
                template = folder / f"{api}.yaml"
                template.write_text(derive.one_api(api, layer, variables))
                key = create_key(functools.partial(invoke, template, "KeyAdminFunction"), tenant="acme", scopes=["read"])
                one_api(checks, api, template, provider, key)
        finally:
            remove_containers()
    checks.close()


if __name__ == "__main__":
    main()
