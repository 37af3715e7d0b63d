"""The released authorizer under `cargo lambda watch`: every captured event, and its end."""

from harness import captured
from harness.checks import Checks
from harness.runtime import Watch


def main():
    checks = Checks("watch")
    with captured.surroundings() as (env, key):
        with Watch("authorizer", env) as authorizer:
            captured.check(checks, authorizer, key)
        captured.check_usage(checks, env, key)
    checks.close()


if __name__ == "__main__":
    main()
