"""The code in docs/identity-token.md for Node and Python, taken out of the page and run with real tokens: `doorward local`
in front of a backend, the key set from where it says, and everything that must be refused. The keys are made by OpenSSL, and
one by an emulator of KMS that signs for real."""

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from harness import ROOT
from harness.checks import Checks
from harness.emulator import MiniStack
from harness.process import Process
from harness.runtime import CREDENTIALS
from harness.tables import client

READY = "Ctrl-C stops the gateway"
HEADER = "x-doorward-identity-token"
ISSUER, AUDIENCE = "https://gate.invalid", "https://backend.invalid"
PAGE = (ROOT / "docs/identity-token.md").read_text()

CONFIG = f"""
[api_keys]
prefix = "ck"
environments = ["test"]

[identity_token]
issuer = "{ISSUER}"
audience = "{AUDIENCE}"
signing_key = "{{signing_key}}"

[[routes]]
route = "GET /orders/{{{{id}}}}"
credentials = ["api_key"]
"""

KEYS = {
    "ES256": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "EdDSA": ["-algorithm", "ed25519"],
}

NODE = """
import { identity } from "./identity.mjs";
import { readFileSync } from "node:fs";
const cases = JSON.parse(readFileSync(0, "utf8"));
const told = cases.map(({ token, jwks, issuer, audience, now }) => {
  try { return identity(token, jwks, issuer, audience, now).sub; } catch (error) { return `refused: ${error.message}`; }
});
console.log(JSON.stringify(told));
"""


def code(language):
    return re.search(rf"^```{language}\n(.+?)^```$", PAGE, re.MULTILINE | re.DOTALL)[1]


def node(cases):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "identity.mjs").write_text(code("js"))
        Path(folder, "run.mjs").write_text(NODE)
        ran = subprocess.run(
            ["node", "run.mjs"], cwd=folder, input=json.dumps(cases), capture_output=True, text=True, timeout=60
        )
    return json.loads(ran.stdout) if ran.returncode == 0 else ran.stderr


def python(cases):
    names = {}
    exec(compile(code("python"), "docs/identity-token.md", "exec"), names)
    told = []
    for case in cases:
        try:
            told.append(names["identity"](**case)["sub"])
        except Exception as error:
            told.append(f"refused: {error}")
    return told


class Backend:
    """Remembers the header of the last request."""

    def __init__(self):
        backend = self
        self.token = None

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                backend.token = self.headers[HEADER]
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"


def got(url, credential=None):
    headers = {"authorization": f"Bearer {credential}"} if credential else {}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:
        return answer.read()


def of_a_file(doorward, algorithm):
    """Signed by a key that OpenSSL made."""
    key = subprocess.run(["openssl", "genpkey", *KEYS[algorithm]], capture_output=True, text=True, check=True).stdout
    return minted(doorward, f"of-{algorithm}", "env:SIGNING_KEY", {"SIGNING_KEY": key})


def of_kms(doorward):
    """Signed by a key that stays in (an emulator of) KMS."""
    with MiniStack() as aws:
        kms = client("kms", aws.endpoint)
        made = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
        kms.create_alias(AliasName="alias/gate", TargetKeyId=made["KeyMetadata"]["KeyId"])
        variables = {**CREDENTIALS, "AWS_ENDPOINT_URL": aws.endpoint}
        return minted(doorward, "of-kms", "kms:alias/gate", variables)


def minted(doorward, name, signing_key, variables):
    """A token as a backend gets it, and the key set."""
    backend = Backend()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "doorward.toml").write_text(CONFIG.format(signing_key=signing_key))
        command = [doorward, "local", "--port", "0", "--backend", backend.url]
        with Process(f"identity-token-{name}", command, {**os.environ, **variables}, folder) as gateway:
            gateway.line_with(READY, seconds=60)
            said = gateway.output()
            base = re.search(r"http://127\.0\.0\.1:\d+", said)[0]
            credential = re.search(r"Bearer (ck_test_\w+)", said)[1]
            jwks = json.loads(got(re.search(r"identity keys\s+(\S+)", said)[1]))
            got(f"{base}/orders/42", credential)
    return backend.token, jwks


def main():
    checks = Checks("identity_token")
    subprocess.run(["cargo", "build", "--locked", "--bin", "doorward"], cwd=ROOT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    doorward = target / "debug/doorward"
    tokens = {algorithm: of_a_file(doorward, algorithm) for algorithm in KEYS}
    tokens["KMS"] = of_kms(doorward)
    for algorithm, (token, jwks) in tokens.items():
        other = next(tokens[name] for name in KEYS if name != algorithm)
        case = {"token": token, "jwks": jwks, "issuer": ISSUER, "audience": AUDIENCE, "now": None}
        head, body, signature = token.split(".")
        cases = {
            "came through the gate": case,
            "was changed": {**case, "token": f"{head}.{body[:-2]}AA.{signature}"},
            "has another's signature": {**case, "token": f"{head}.{body}.{other[0].split('.')[2]}"},
            "is of another gate's key": {**case, "jwks": other[1]},
            "is for another audience": {**case, "audience": "https://other.invalid"},
            "is of another issuer": {**case, "issuer": "https://other.invalid"},
            "has expired": {**case, "now": 4_000_000_000},
            "is of a time to come": {**case, "now": 1_000_000_000},
        }
        for language, run in (("node", node), ("python", python)):
            asked = [{k: v for k, v in case.items() if v is not None} for case in cases.values()]
            told = run(asked)
            if not checks.that(f"{language} runs", isinstance(told, list), told):
                continue
            for name, said in zip(cases, told, strict=True):
                if name == "came through the gate":
                    checks.that(f"{language} {algorithm}: one that {name} is believed", said.startswith("key|key_"), said)
                else:
                    checks.that(f"{language} {algorithm}: one that {name} is refused", said.startswith("refused: "), said)
    checks.close()


if __name__ == "__main__":
    sys.exit(main())
