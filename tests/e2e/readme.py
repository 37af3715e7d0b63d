"""What a newcomer types. The README's first command: `cargo run -- local` serves, and every line that it prints to be pasted
does what the comment before it says; then the key is revoked, and refused after the stated delay. And docs/quickstart.md, as
far as it needs no Docker, block by block in a folder beside the checkout."""

import os
import pathlib
import re
import subprocess
import tempfile
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


def pasted(command, folder=ROOT, env=None):
    """Runs a line as a person would, in the folder of the project."""
    return subprocess.run(["bash", "-ec", command], cwd=folder, env=env, capture_output=True, text=True, timeout=60)


def status(command, folder=ROOT):
    head = pasted(command, folder).stdout.split("\r\n", 1)[0]
    found = re.match(r"HTTP/1\.1 (\d{3})", head)
    return found[1] if found else head


def first_command(checks):
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


def blocks_of_quickstart():
    """The commands of docs/quickstart.md up to those that need Docker."""
    text = (ROOT / "docs" / "quickstart.md").read_text()
    text = text[text.index("## On `doorward local`") : text.index("## On `sam local`")]
    return re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def quickstart(checks):
    """The checkout is there, and built by the first command: `target/debug` of it is put into the path as the page says."""
    clone, written, serve, *rest = blocks_of_quickstart()
    done_already = ("git clone", "cargo build", "export PATH")
    checks.that("the page clones, builds and sets the path", all(words in clone for words in done_already), clone)
    env = {**os.environ, "PATH": f"{ROOT}/target/debug:{os.environ['PATH']}"}
    with tempfile.TemporaryDirectory() as around:
        beside = pathlib.Path(around, "doorward")
        beside.mkdir()
        begun = pasted(written, beside, env)
        checks.equal("the configuration is good", begun.returncode, 0)
        folder = pathlib.Path(around, "gate")
        with Process("quickstart", ["bash", "-ec", f"exec {serve}"], env, folder) as gateway:
            gateway.line_with(READY, seconds=60)
            shown = 0
            for block in rest:
                # What stands before the first line with a status is done; each of those lines is judged by it.
                before, *_ = re.split(r"^# \d{3}: ", block, maxsplit=1, flags=re.MULTILINE)
                done = pasted(before or "true", folder, env)
                said = f"{done.stdout[-400:]}{done.stderr[-400:]}" if done.returncode else 0
                checks.equal(f"done: {before.splitlines()[0] if before else 'nothing before the lines'}", said, 0)
                for code, says, command in lines_to_paste(block):
                    checks.equal(f"{code}: {says}", status(command, folder), code)
                    shown += 1
            checks.equal("the page shows calls", shown, 7)


def main():
    checks = Checks("readme")
    first_command(checks)
    quickstart(checks)
    checks.close()


if __name__ == "__main__":
    main()
