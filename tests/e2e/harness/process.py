"""Programs under test: started with a log, waited for until they serve, ended by their own process id."""

import contextlib
import os
import signal
import socket
import subprocess
import time

from . import E2E

LOGS = E2E / "logs"


class Process:
    """A program in the background. `with` ends it, however the block is left."""

    def __init__(self, name, command, env=None, cwd=None):
        self.name = name
        LOGS.mkdir(exist_ok=True)
        self.log = LOGS / f"{name}.log"
        with open(self.log, "wb") as log:
            self.child = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=env,
                cwd=cwd,
                start_new_session=True,
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def output(self):
        return self.log.read_text(errors="replace")

    def until(self, condition, seconds=30):
        """Waits for `condition()` to give something; fails with the program's own words."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = condition()
            if found:
                return found
            if self.child.poll() is not None:
                raise RuntimeError(f"{self.name} ended with {self.child.returncode}:\n{self._tail()}")
            time.sleep(0.05)
        raise RuntimeError(f"{self.name} was not ready in {seconds} s:\n{self._tail()}")

    def until_listening(self, port, host="127.0.0.1", seconds=30):
        return self.until(lambda: _listens(host, port), seconds)

    def line_with(self, text, seconds=30):
        """The first line of the output that holds `text`."""
        return self.until(lambda: next((line for line in self.output().splitlines() if text in line), None), seconds)

    def stop(self, seconds=10):
        """SIGTERM first: it lets SAM remove its containers; background children ignore SIGINT."""
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.child.wait(seconds)
        # The session outlives its first process when that one left children behind.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()

    def _tail(self, lines=40):
        return "\n".join(self.output().splitlines()[-lines:])


def free_port(host="127.0.0.1"):
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def _listens(host, port):
    try:
        with socket.create_connection((host, port), timeout=0.5):
            return True
    except OSError:
        return False
