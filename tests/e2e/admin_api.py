"""The API of key administration against its description: `doorward local` serves it behind signatures, and schemathesis
sends it valid and invalid requests, with every check that it has."""

import json
import os
import pathlib
import re
import subprocess
import tempfile
import urllib.error
import urllib.request

from harness import E2E, ROOT, local
from harness.checks import Checks
from harness.process import LOGS, Process

DOCUMENT = ROOT / "docs" / "key-admin.openapi.json"
BIN = E2E / ".venv-schemathesis" / "bin"
# The longest life that a configuration can allow, as the description has it.
CONFIG = """
[api_keys]
prefix = "ck"
environments = ["test", "live"]
max_lifetime_days = 3650

[[api_keys.imported]]
name = "former"
min_length = 20
max_length = 40
hash = "sha256"

[[issuers]]
issuer = "https://issuer.example"
algorithms = ["ES256"]
audiences = ["api"]

[block_list]

[[routes]]
route = "GET /orders"
credentials = ["api_key", "jwt"]
"""
ISSUER = "https://issuer.example"


def credentials(folder):
    text = (folder / ".doorward" / "aws-credentials").read_text()
    return [re.search(rf"^{name} = (.+)$", text, re.MULTILINE)[1] for name in ("aws_access_key_id", "aws_secret_access_key")]


def made(folder, program, api):
    """The ids of fresh keys, made over the API by the command line."""
    command = [*program, "keys", "create", "--tenant", "demo", "--name", "n", "--api", api, "--json"]
    replies = [subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout for _ in range(12)]
    return [json.loads(reply)["key"]["id"] for reply in replies]


def unsigned(url):
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def main():
    checks = Checks("admin_api")
    valid = subprocess.run([BIN / "openapi-spec-validator", "--schema", "3.1", DOCUMENT], capture_output=True, text=True)
    checks.equal("the description is OpenAPI 3.1", (valid.returncode, valid.stderr), (0, ""))
    with tempfile.TemporaryDirectory(prefix="doorward-admin-api-") as name:
        folder = pathlib.Path(name)
        (folder / "doorward.toml").write_text(CONFIG)
        command_line = [local.program()]
        with Process("admin_api", [*command_line, "local", "--port", "0"], dict(os.environ), folder) as gateway:
            gateway.line_with("Ctrl-C stops the gateway", seconds=60)
            running = json.loads((folder / ".doorward" / "local.json").read_text())
            url = running["admin"]
            status, body = unsigned(f"{url}/openapi.json")
            refusal = b'{"message":"Missing Authentication Token"}'
            checks.equal("nobody is let in without a signature", (status, body), (403, refusal))
            access_key_id, secret = credentials(folder)
            env = {
                **os.environ,
                "ADMIN_API_ID": access_key_id,
                "ADMIN_API_SECRET": secret,
                "ADMIN_API_ISSUER": ISSUER,
                "ADMIN_API_KEYS": ",".join(made(folder, command_line, url)),
            }
            log = LOGS / "schemathesis.log"
            command = [BIN / "schemathesis", "--config-file", "schemathesis.toml", "run", DOCUMENT, "--url", url]
            with open(log, "wb") as output:
                ended = subprocess.run(
                    command,
                    cwd=E2E / "openapi",
                    env=env,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    timeout=1500,
                )
            told = log.read_text(errors="replace")
            print("\n".join(told.splitlines()[-40:] if ended.returncode == 0 else told.splitlines()), flush=True)
            checks.equal("schemathesis finds nothing", ended.returncode, 0)
    checks.close()


if __name__ == "__main__":
    main()
