"""The cache of both APIs: an answer is kept for its time to live, and its policy is held against every request."""

import time

from harness.keys import create_key

from .callers import REFUSED
from .deployed import TTL


def check(checks, stack, api):
    key = create_key(stack.invoke, tenant="acme", scopes=["read"])

    def status(method, path):
        return stack.ask_with(api, method, path, key["secret"]).status

    asked = Decisions(stack)
    first = status("GET", "/orders")
    began = time.monotonic()
    came = (first, status("GET", "/orders/7"), status("POST", "/orders"), status("GET", "/admin"))
    checks.equal(f"{api}: one kept policy, by method and route: {came}", came, (200, 200, 403, 403))
    checks.equal(f"{api}: and the authorizer was asked once", asked.since(), 1)

    stack.invoke({"operation": "revoke", "id": key["id"]})
    # Past what the authorizer remembers, within what the gateway keeps.
    time.sleep(1.2)
    checks.equal(f"{api}: a revoked key passes while the answer is kept", status("GET", "/orders"), 200)
    checks.that(f"{api}: and it was within that time", time.monotonic() - began < TTL, time.monotonic() - began)
    time.sleep(max(0, began + TTL + 0.3 - time.monotonic()))
    came = status("GET", "/orders")
    checks.equal(f"{api}: and no longer afterwards: {came}", came, REFUSED[api])


class Decisions:
    """How often the authorizer was asked from now on, by its log."""

    def __init__(self, stack):
        self._logs = stack.client("logs")
        self._before = self._count()

    def since(self):
        return self._count() - self._before

    def _count(self):
        pages = self._logs.get_paginator("filter_log_events").paginate(logGroupName="/doorward/e2e/authorizer")
        return sum('"event":"decision"' in event["message"] for page in pages for event in page["events"])
