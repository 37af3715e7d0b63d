"""`doorward local`: the gateway that answers as AWS does, against which the others are held."""

import functools
import json
import os
import subprocess

from . import ROOT
from .process import Process
from .web import ask


@functools.cache
def program():
    """The command line, built from this checkout."""
    subprocess.run(["cargo", "build", "--quiet", "--locked", "--bin", "doorward"], cwd=ROOT, check=True)
    return ROOT / "target" / "debug" / "doorward"


class Local(Process):
    """A running gateway on ports of its own, with the `doorward.toml` of `folder` and options of `doorward local`."""

    def __init__(self, folder, *options):
        self.folder = folder
        ports = [part for name in ("--port", "--issuer-port", "--admin-port") for part in (name, 0)]
        super().__init__("local", [program(), "local", *ports, *options], dict(os.environ), folder)
        self.line_with("Ctrl-C stops the gateway")
        running = json.loads((folder / ".doorward" / "local.json").read_text())
        self.url, self.admin = running["gateway"], running["admin"]

    def ask(self, method, path, headers):
        return ask(method, f"{self.url}{path}", headers, b"{}" if method == "POST" else None)

    def keys(self, *arguments):
        """What `doorward keys` answers, as data."""
        command = [program(), "keys", *arguments, "--json"]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"doorward keys {arguments[0]} ended with {done.returncode}: {done.stderr}")
        return json.loads(done.stdout)

    def create_key(self, **more):
        """A key as `keys.create_key` makes it."""
        options = [part for name, value in more.items() for part in (f"--{name}", value)]
        made = self.keys("create", "--tenant", "acme", "--name", "end to end", "--scope", "read", *options)
        return {"id": made["key"]["id"], "secret": made["secret"]}
