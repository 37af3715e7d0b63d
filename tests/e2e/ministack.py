"""MiniStack, twice: its DynamoDB under the contract of the key stores, and the whole template deployed onto it, with the
rights of the functions' roles enforced."""

import os
import pathlib
import re
import subprocess
import tempfile

from harness import E2E, ROOT, config, tables
from harness.checks import Checks
from harness.emulator import MiniStack
from harness.oidc import Oidc
from stack import callers, kept, lifecycle, logs, not_enforced, rights, tokens
from stack.deployed import deploy

APIS = ("RestApi", "HttpApi")


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


def whole_stack(checks):
    launcher = E2E / "harness" / "ministack_openapi.py"
    with (
        tempfile.TemporaryDirectory(prefix="doorward-stack-") as folder,
        MiniStack(enforce=True, launcher=launcher) as aws,
        Oidc() as provider,
    ):
        folder = pathlib.Path(folder)
        pools = tokens.Pools(tables.client("cognito-idp", aws.endpoint), aws.endpoint)
        issuers = (config.oidc(provider), pools.config())
        stack = deploy(
            aws, folder, config.write(folder, config.KEYS_LIMITS_AND_ROUTES, tokens.BLOCK_LIST, config.REPORTS, *issuers)
        )
        for api in APIS:
            callers.check(checks, stack, provider, api)
            tokens.of_cognito(checks, stack, pools, api)
            kept.check(checks, stack, api)
        callers.refusals(checks, stack, provider)
        lifecycle.check(checks, stack)
        lifecycle.direct(checks, stack)
        tokens.rotation(checks, stack, provider)
        tokens.blocked(checks, stack, provider)
        logs.check(checks, stack)
        rights.check(checks, stack)
        not_enforced.check(checks, stack)


def main():
    checks = Checks("ministack")
    contract(checks)
    whole_stack(checks)
    checks.close()


if __name__ == "__main__":
    main()
