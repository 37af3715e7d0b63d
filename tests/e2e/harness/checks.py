"""Exact checks that say what was expected and what came, and a closing line that counts them."""

import difflib
import json
import sys


class Checks:
    """Collects the outcome of one suite; a failed check does not end it."""

    def __init__(self, suite):
        self.suite = suite
        self.passed = 0
        self.failed = 0

    def equal(self, name, actual, expected):
        if actual == expected:
            self.passed += 1
            print(f"  ok    {name}", flush=True)
            return True
        self.failed += 1
        print(f"  FAIL  {name}", flush=True)
        lines = difflib.unified_diff(_lines(expected), _lines(actual), "expected", "came", lineterm="", n=2)
        for line in lines:
            print(f"        {line}", flush=True)
        return False

    def that(self, name, holds, shown=None):
        return self.equal(name, True if holds else {"does not hold": shown}, True)

    def close(self):
        """Prints the closing line and ends the process: 0 only when every check held and there was one."""
        print(f"{self.suite}: {self.passed} passed, {self.failed} failed", flush=True)
        sys.exit(0 if self.failed == 0 and self.passed > 0 else 1)


def _lines(value):
    return json.dumps(value, indent=1, sort_keys=True, default=str, ensure_ascii=False).splitlines()
