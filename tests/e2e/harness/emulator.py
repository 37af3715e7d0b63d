"""MiniStack, an emulator of AWS, as a process of its own."""

import os

from . import E2E
from .process import Process, free_port
from .runtime import CREDENTIALS
from .web import ask

VENV = E2E / ".venv-ministack"


class MiniStack(Process):
    """An empty AWS on this machine; `enforce` makes it check the rights of the functions' roles."""

    def __init__(self, host="127.0.0.1", enforce=False, launcher=None):
        port = free_port(host)
        self.endpoint = f"http://{host}:{port}"
        # Functions that run inside inherit this environment: it must be clean.
        env = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            **CREDENTIALS,
            "AWS_DEFAULT_REGION": CREDENTIALS["AWS_REGION"],
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": self.endpoint,
            "GATEWAY_PORT": str(port),
            "BIND_HOST": host,
            "AUTH": "true" if enforce else "false",
            "IOT_MTLS_ENABLED": "false",
            "SFTP_ENABLED": "false",
        }
        command = [VENV / "bin" / "python", launcher] if launcher else [VENV / "bin" / "ministack"]
        super().__init__("ministack", command, env)
        self.until(self._healthy, 60)

    def _healthy(self):
        try:
            return ask("GET", f"{self.endpoint}/_ministack/health", seconds=2).status == 200
        except OSError:
            return False
