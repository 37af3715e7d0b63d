"""What an IAM policy allows, by the rules of AWS ("Policy evaluation logic"): written for these suites alone, so that it
shares no mistake with the builder under test."""

import ipaddress
import re
import time


def allows(document, arn, source_ip="203.0.113.7", now=None):
    """Whether the policy lets `execute-api:Invoke` on `arn` pass: some Allow holds and no Deny does."""
    now = time.time() if now is None else now
    effects = {
        statement["Effect"]
        for statement in document["Statement"]
        if "execute-api:Invoke" in _many(statement["Action"])
        and any(_matches(pattern, arn) for pattern in _many(statement["Resource"]))
        and _holds(statement.get("Condition", {}), source_ip, now)
    }
    return "Allow" in effects and "Deny" not in effects


def _many(value):
    return value if isinstance(value, list) else [value]


def _matches(pattern, arn):
    parts = {"*": ".*", "?": "."}
    return re.fullmatch("".join(parts.get(letter, re.escape(letter)) for letter in pattern), arn, re.DOTALL) is not None


def _holds(condition, source_ip, now):
    for operator, keys in condition.items():
        for key, values in keys.items():
            if not _one_holds(operator, key, _many(values), source_ip, now):
                return False
    return True


def _one_holds(operator, key, values, source_ip, now):
    address = ipaddress.ip_address(source_ip)
    within = any(address in ipaddress.ip_network(value) for value in values) if key == "aws:SourceIp" else False
    numbers = [_epoch(value) for value in values] if key in ("aws:EpochTime", "aws:CurrentTime") else []
    tests = {
        ("IpAddress", "aws:SourceIp"): within,
        ("NotIpAddress", "aws:SourceIp"): not within,
    }
    for prefix in ("Numeric", "Date"):
        for time_key in ("aws:EpochTime", "aws:CurrentTime"):
            tests[(f"{prefix}LessThan", time_key)] = any(now < value for value in numbers)
            tests[(f"{prefix}LessThanEquals", time_key)] = any(now <= value for value in numbers)
            tests[(f"{prefix}GreaterThanEquals", time_key)] = any(now >= value for value in numbers)
    if (operator, key) not in tests:
        raise RuntimeError(f"a condition these suites do not know: {operator} {key}")
    return tests[(operator, key)]


def _epoch(value):
    if re.fullmatch(r"\d+", str(value)):
        return int(value)
    return time.mktime(time.strptime(value, "%Y-%m-%dT%H:%M:%SZ")) - time.timezone
