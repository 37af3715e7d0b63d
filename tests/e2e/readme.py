"""The README's first command: `cargo run -- local` serves, and every line that it prints to be pasted does what the
comment before it says. Then the key is revoked, and refused after the stated delay."""

import os
import re
import subprocess
import time

from harness import ROOT
from harness.checks import Checks
from harness.process import Process

READY = "Ctrl-C stops the gateway"

# What the README promises of the lines: status, and words of the comment before the line.
PROMISED = [
    ("200", "the key is accepted"),
    ("200", "answered from the cache"),
    ("403", "has not the scope"),
    ("403", "the address is not on the list"),
    ("200", "a token of the demo issuer is accepted"),
    ("401", "a token that was changed"),
]


def lines_to_paste(banner):
    """Pairs of status and command: `# 403: no scope` is followed by the curl line that shows it."""
    return re.findall(r"^# (\d{3}): (.+)\n(curl .+)$", banner, re.MULTILINE)


def pasted(command):
    """Runs a line as a person would, in the folder of the project."""
    return subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=60)


def status(command):
    head = pasted(command).stdout.split("\r\n", 1)[0]
    found = re.match(r"HTTP/1\.1 (\d{3})", head)
    return found[1] if found else head


def main():
    checks = Checks("readme")
    with Process("readme", ["cargo", "run", "--", "local"], dict(os.environ), ROOT) as gateway:
        gateway.line_with(READY, seconds=900)
        banner = gateway.output()
        pairs = lines_to_paste(banner)
        for code, says in PROMISED:
            found = [line for line in pairs if line[0] == code and says in line[1]]
            checks.equal(f"one line shows: {code}, {says}", len(found), 1)
        for code, says, command in pairs:
            checks.equal(f"{code}: {says}", status(command), code)
        told = [line for line in gateway.output().split(READY)[1].splitlines() if re.search(r"/orders/4[23]\b", line)]
        checks.that("the first call is decided by the authorizer", "cache" not in told[0], told[0])
        checks.that("the second call is answered from the cache", "cache" in told[1], told[1])

        seconds, revoke = re.search(r"^# revoke the key; after (.+) at most.*\n(.+)$", banner, re.MULTILINE).groups()
        delay = sum(int(n) * {"s": 1, "m": 60}[unit[0]] for n, unit in re.findall(r"(\d+)\s*(s\w*|m\w*)", seconds))
        checks.that("a delay is stated", 0 < delay <= 600, seconds)
        revoked = pasted(revoke)
        checks.equal("the key is revoked", revoked.returncode, 0)
        key_line = pairs[0][2]
        began = time.monotonic()
        while status(key_line) == "200" and time.monotonic() - began < delay + 2:
            time.sleep(1)
        checks.equal(f"the revoked key is refused after {seconds}", status(key_line), "401")
    checks.close()


if __name__ == "__main__":
    main()
