"""The released authorizer under AWS's runtime interface emulator: every captured event, and what may go wrong around it."""

from harness import captured
from harness.checks import Checks
from harness.process import free_port
from harness.runtime import under_emulator


def broken_events(checks, authorizer):
    for name, payload in (
        ("an empty object", "{}"),
        ("a list", "[]"),
        ("a number", "7"),
        ("null", "null"),
        ("an unknown shape", '{"type": "SOMETHING", "methodArn": 3}'),
        ("deep nesting", "[" * 5000 + "]" * 5000),
    ):
        checks.equal(f"{name} is refused", authorizer.invoke(payload), captured.FAILED)
    # What is no JSON ends in the runtime, before any code of ours.
    broken = authorizer.invoke("{")
    checks.that("no JSON is an error, not an answer", set(broken) == {"errorType", "errorMessage"}, broken)


def faults(checks, env, key):
    """Each fault refuses the caller and is named in the log."""
    event = captured.with_credential(captured.events()["rest_request"], f"Bearer {key['secret']}")
    nobody = f"http://127.0.0.1:{free_port()}"
    for name, changed, told in (
        ("a table that is away", {"AWS_ENDPOINT_URL_DYNAMODB": nobody}, "key_store_unavailable"),
        ("a table that does not exist", {"DOORWARD_KEYS_TABLE": "Nowhere"}, "key_store_unavailable"),
        ("a configuration that is missing", {"DOORWARD_CONFIG": "nowhere.toml"}, "nowhere.toml"),
        (
            "a configuration with a fault",
            {"DOORWARD_CONFIG": "[[routes]]\nroute = 'GET /orders'\n"},
            "routes[0].credentials",
        ),
        ("a misspelt variable", {"DOORWARD_KEY_TABLE": "x"}, "DOORWARD_KEY_TABLE"),
    ):
        with under_emulator("authorizer", {**env, **changed}) as authorizer:
            checks.equal(f"{name}: the caller is refused", authorizer.invoke(event), captured.FAILED)
            # The line of a decision is written after its answer.
            authorizer.process.until(lambda told=told, log=authorizer.process.output: told in log(), 5)
            log = authorizer.process.output()
            checks.that(f"{name}: the log names it", told in log, log[-1500:])
            checks.that(f"{name}: the log does not hold the key", key["secret"] not in log)


def main():
    checks = Checks("rie")
    with captured.surroundings() as (env, key):
        with under_emulator("authorizer", env) as authorizer:
            captured.check(checks, authorizer, key)
            broken_events(checks, authorizer)
            log = authorizer.process.output()
            checks.that("the log does not hold the key", key["secret"] not in log)
        faults(checks, env, key)
    checks.close()


if __name__ == "__main__":
    main()
