"""A built function under AWS's runtime interface emulator, or under `cargo lambda watch`, without containers."""

import json
import os
import pathlib
import platform

import samcli

from . import ROOT
from .process import Process, free_port
from .web import ask

_ARCHITECTURE = {"x86_64": "x86_64", "aarch64": "arm64"}[platform.machine()]
EMULATOR = pathlib.Path(samcli.__file__).parent / "local" / "rapid" / f"aws-lambda-rie-{_ARCHITECTURE}"

# What an emulator of AWS takes as credentials.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}


def bootstrap(function):
    """The released binary of a function, as `cargo lambda build --release` leaves it."""
    path = ROOT / "target" / "lambda" / function / "bootstrap"
    if not path.is_file():
        raise RuntimeError(f"{path} is missing: run `cargo lambda build --release` first")
    return path


class Function:
    """A running function."""

    def __init__(self, process, url):
        self.process = process
        self.url = url

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stop()

    def invoke(self, event):
        """The answer to one event: the value, or the error as `errorType` and `errorMessage`."""
        payload = event if isinstance(event, str) else json.dumps(event)
        return ask("POST", self.url, data=payload).json()

    def invoke_raw(self, payload):
        return ask("POST", self.url, data=payload).text


def _environment(function, env):
    # Nothing of the machine's own configuration may decide what a test sees.
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    lambda_env = {
        "AWS_LAMBDA_FUNCTION_NAME": function,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "5",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return {**kept, **lambda_env, **CREDENTIALS, **env}


def under_emulator(function, env, name=None):
    """Starts the released binary under the emulator: one call at a time, a real deadline. `name` is that of the log, where
    more than one runs."""
    binary = bootstrap(function)
    port, api = free_port(), free_port()
    # Its own defaults are fixed ports on every address.
    command = [EMULATOR, "--log-level", "error", "--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
    command += ["--runtime-api-address", f"127.0.0.1:{api}", binary]
    env = _environment(function, {**env, "LAMBDA_TASK_ROOT": str(binary.parent)})
    process = Process(f"{name or function}-rie", command, env, binary.parent)
    process.until_listening(port)
    return Function(process, f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations")


class Watch:
    """`cargo lambda watch` that serves the Lambda APIs only, with the released binary as its function."""

    def __init__(self, function, env):
        binary = bootstrap(function)
        port = free_port()
        watch = [
            "cargo",
            "lambda",
            "watch",
            "--only-lambda-apis",
            "--invoke-address",
            "127.0.0.1",
            "--invoke-port",
            port,
        ]
        self.watch = Process("watch", watch, dict(os.environ), ROOT)
        self.watch.until_listening(port)
        env = _environment(
            "_",
            {**env, "AWS_LAMBDA_RUNTIME_API": f"http://127.0.0.1:{port}/.rt", "LAMBDA_TASK_ROOT": str(binary.parent)},
        )
        self.function = Function(
            Process(f"{function}-watch", [binary], env, binary.parent),
            f"http://127.0.0.1:{port}/2015-03-31/functions/_/invocations",
        )

    def __enter__(self):
        return self.function

    def __exit__(self, *_):
        self.function.process.stop()
        self.watch.stop()
