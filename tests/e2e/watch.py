"""The released authorizer under cargo-lambda: every captured event, and its end, under `cargo lambda watch`; a file of an
event sent by `cargo lambda invoke`; and `cargo lambda deploy` onto an emulator of AWS, where it is invoked once more."""

import json
import os
import pathlib
import subprocess
import tempfile

from harness import ROOT, captured, tables
from harness.checks import Checks
from harness.runtime import CREDENTIALS, Watch, bootstrap

EVENT = ROOT / "infra" / "events" / "authorizer_rest_request.json"
# Let in by what the captured events are let in by.
SERVED = "rest_request"
ROLE = "arn:aws:iam::000000000000:role/authorizer"


def cargo_lambda(command, *arguments):
    env = {**os.environ, **CREDENTIALS}
    done = subprocess.run(
        ["cargo", "lambda", command, *arguments], cwd=ROOT, env=env, capture_output=True, text=True, timeout=120
    )
    return done.returncode, done.stdout, done.stderr


def invoke(checks, where, target, key):
    """A committed file, and files without and with the key."""
    code, answer, said = cargo_lambda("invoke", *target, "--data-file", str(EVENT))
    if checks.equal(f"{where}: the committed file is answered", code, 0) or print(said):
        asked = json.loads(EVENT.read_text())["methodArn"]
        checks.equal(f"{where}: with a Deny, as nobody configured its route", json.loads(answer), captured.forbidden(asked))
    event = captured.events()[SERVED]
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "event.json"
        path.write_text(json.dumps(event))
        code, answer, said = cargo_lambda("invoke", *target, "--data-file", str(path))
        checks.that(f"{where}: a file without a key is refused", "Unauthorized" in answer + said, [code, answer, said])
        path.write_text(json.dumps(captured.with_credential(event, f"Bearer {key['secret']}")))
        code, answer, said = cargo_lambda("invoke", *target, "--data-file", str(path), "--output-format", "json")
    if checks.equal(f"{where}: the file with the key is answered", code, 0) or print(said):
        captured.let_in(checks, where, json.loads(answer), captured.arn_of(event), key)


def deploy(checks, env, key):
    endpoint = env["AWS_ENDPOINT_URL_DYNAMODB"]
    folder = bootstrap("authorizer").parent.parent
    variables = [f"--env-var={name}={value}" for name, value in env.items() if name.startswith("DOORWARD_")]
    place = ["--endpoint-url", endpoint, "--region", CREDENTIALS["AWS_REGION"]]
    how = ["--lambda-dir", str(folder), "--binary-name", "authorizer", "--role", ROLE, "--memory", "256", "--timeout", "5"]
    code, _, said = cargo_lambda("deploy", *place, *how, *variables, "gate")
    if not checks.equal("deploy: the function is there", code, 0):
        print(said)
        return
    made = tables.client("lambda", endpoint).get_function_configuration(FunctionName="gate")
    checks.equal(
        "deploy: as the command says",
        [made["Runtime"], made["MemorySize"], made["Timeout"], made["Role"]],
        ["provided.al2023", 256, 5, ROLE],
    )
    invoke(checks, "invoke --remote", ["--remote", *place, "gate"], key)


def main():
    checks = Checks("watch")
    with captured.surroundings() as (env, key):
        with Watch("authorizer", env) as authorizer:
            captured.check(checks, authorizer, key)
            port = authorizer.url.split(":")[2].split("/")[0]
            invoke(checks, "invoke", ["--invoke-address", "127.0.0.1", "--invoke-port", port], key)
        captured.check_usage(checks, env, key, more=1)
        deploy(checks, env, key)
    checks.close()


if __name__ == "__main__":
    main()
