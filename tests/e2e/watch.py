"""The released authorizer under `cargo lambda watch`: every captured event."""

from harness import captured
from harness.checks import Checks
from harness.runtime import Watch


def main():
    checks = Checks("watch")
    with captured.surroundings() as (env, key), Watch("authorizer", env) as authorizer:
        captured.check(checks, authorizer, key)
    checks.close()


if __name__ == "__main__":
    main()
