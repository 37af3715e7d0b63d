"""The access log of both APIs, on its way to the counts of a key."""

import json
import time

from harness import tables
from harness.keys import create_key

from .deployed import NAME


def check(checks, stack):
    """A batch of the log goes through the subscription of the template to the function, and is counted under its role."""
    key = create_key(stack.invoke, tenant="acme", scopes=["read"])["id"]
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": log_line(key, number, now)} for number in range(40)]
    events.append({"timestamp": now, "message": log_line("-", 40, now)})
    logs = stack.client("logs")
    for group in (f"/doorward/{NAME}/rest-access", f"/doorward/{NAME}/http-access"):
        filters = logs.describe_subscription_filters(logGroupName=group)["subscriptionFilters"]
        checks.equal(f"{group}: one subscription, for lines with a key", len(filters), 1)
        # MiniStack looks for the words of a pattern and knows no patterns for JSON, so it is to hand on everything.
        name, function = filters[0]["filterName"], filters[0]["destinationArn"]
        logs.put_subscription_filter(logGroupName=group, filterName=name, filterPattern="", destinationArn=function)
        logs.create_log_stream(logGroupName=group, logStreamName="s")
        logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=events)
    total = {}
    for _ in range(60):
        total = stack.invoke({"operation": "usage", "id": key}).get("usage", {}).get("total", {})
        if total.get("requests", {}).get("total", 0) >= 80:
            break
        time.sleep(0.5)
    checks.equal("access log: every request with the key is counted", total.get("requests", {}).get("total"), 80)
    checks.equal("access log: the cache answered what was not decided", total.get("cached"), 80)
    shown = stack.ask_signed("GET", f"/keys/{key}/usage?by=day")
    checks.equal(f"AdminApi: GET /keys/{{id}}/usage: {shown.status}", shown.status, 200)


def log_line(key, number, now):
    """A line as the template has it: its own format, filled in."""
    line = json.loads(tables.template()["Resources"]["RestApi"]["Properties"]["AccessLogSetting"]["Fn::If"][1]["Format"])
    return json.dumps({**line, "requestId": str(number), "at": str(now), "status": "200", "keyId": key})
