"""The cache of both APIs: an answer is kept for its time to live, and its policy is held against every request."""

import time

from harness.keys import create_key

from .callers import REFUSED
from .deployed import CACHE, NAME, TTL


def check(checks, stack, api):
    for _ in range(5):
        began, key, came = _attempt(stack, api)
        if time.monotonic() - began < TTL:
            break
    else:
        raise RuntimeError(f"nothing was asked within {TTL} s: this machine is too slow for what this shows")
    checks.equal(f"{api}: one kept policy, by method and route: {came[:4]}", came[:4], (200, 200, 403, 403))
    checks.equal(f"{api}: and the authorizer was asked once", came[4], 1)
    checks.equal(f"{api}: a revoked key passes while the answer is kept: {came[5]}", came[5], 200)
    time.sleep(TTL)
    status = stack.ask_with(api, "GET", "/orders", key["secret"]).status
    checks.equal(f"{api}: and no longer afterwards: {status}", status, REFUSED[api])


def _attempt(stack, api):
    """When it began, a key that was revoked meanwhile, and what came: four statuses, how often the authorizer was asked for
    them, and the status after the revocation."""
    key = create_key(stack.invoke, tenant="acme", scopes=["read"])
    asked = Decisions(stack)

    def status(method, path):
        return stack.ask_with(api, method, path, key["secret"]).status

    began = time.monotonic()
    four = (status("GET", "/orders"), status("GET", "/orders/7"), status("POST", "/orders"), status("GET", "/admin"))
    times = asked.since()
    stack.invoke({"operation": "revoke", "id": key["id"]})
    # Past what the authorizer remembers, within what the gateway keeps.
    time.sleep(CACHE + 0.2)
    return began, key, (*four, times, status("GET", "/orders"))


class Decisions:
    """How often the authorizer was asked from now on, by its log."""

    def __init__(self, stack):
        self._logs = stack.client("logs")
        self._before = self._count()

    def since(self):
        # The line of a decision may come after its answer.
        for _ in range(20):
            if self._count() > self._before:
                break
            time.sleep(0.05)
        return self._count() - self._before

    def _count(self):
        pages = self._logs.get_paginator("filter_log_events").paginate(logGroupName=f"/doorward/{NAME}/authorizer")
        return sum('"event":"decision"' in event["message"] for page in pages for event in page["events"])
