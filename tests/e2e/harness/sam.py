"""`sam local`: a gateway or one function, in containers, from a template that derive.py made."""

import json
import os
import subprocess
import time

from . import ROOT
from .process import Process, free_port
from .web import ask

IMAGE = "doorward-e2e/provided:al2023"
# What containers call this machine.
HOST = "host.docker.internal"
COMMON = ["--skip-pull-image", "--invoke-image", IMAGE, "--add-host", f"{HOST}:host-gateway"]


def bridge_address():
    """The address of this machine that containers reach and nobody outside does."""
    form = "{{range .IPAM.Config}}{{.Gateway}}{{end}}"
    found = subprocess.run(["docker", "network", "inspect", "bridge", "--format", form], capture_output=True, text=True)
    return found.stdout.strip() or "172.17.0.1"


class StartApi(Process):
    """`sam local start-api` with one template."""

    def __init__(self, name, template, port=None):
        self.port = port or free_port()
        command = ["sam", "local", "start-api", "-t", template, "-p", self.port, "--warm-containers", "LAZY", *COMMON]
        super().__init__(f"sam-{name}", command, dict(os.environ), template.parent)
        self.until_listening(self.port, seconds=60)

    def ask(self, method, path, headers):
        return ask(method, f"http://127.0.0.1:{self.port}{path}", headers, b"{}" if method == "POST" else None)

    def decisions(self, expected, kind=""):
        """How often the authorizer has decided, in all or as `kind` (`allow` or `deny`); waits a while for the lines of
        `expected` decisions, which come after the answers."""
        end = time.monotonic() + 5
        while True:
            count = self.output().count(f'"decision":"{kind}')
            if count >= expected or time.monotonic() > end:
                return count
            time.sleep(0.05)


def invoke(template, function, event):
    """One event to a function in a container; SAM exits 0 whatever came of it."""
    command = ["sam", "local", "invoke", function, "-t", str(template), "-e", "-", *COMMON]
    done = subprocess.run(command, input=json.dumps(event), capture_output=True, text=True, timeout=120)
    try:
        return json.loads(done.stdout)
    except ValueError as error:
        raise RuntimeError(f"{function} answered {done.stdout!r}:\n{done.stderr[-2000:]}") from error


def remove_containers(*folders):
    """SAM leaves a container behind now and then. Ours are those that run code of this checkout or of `folders`."""
    listed = ["docker", "ps", "-aq", "--filter", "label=sam.cli.container.type=lambda"]
    running = subprocess.run(listed, capture_output=True, text=True).stdout.split()
    if not running:
        return
    mounts = "{{.Id}} {{range .Mounts}}{{.Source}} {{end}}"
    shown = subprocess.run(["docker", "inspect", "--format", mounts, *running], capture_output=True, text=True).stdout
    ours = [line.split()[0] for line in shown.splitlines() if any(f" {at}/" in line for at in (ROOT, *folders))]
    if ours:
        subprocess.run(["docker", "rm", "-f", *ours], capture_output=True)
