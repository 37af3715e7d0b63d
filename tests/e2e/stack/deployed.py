"""`sam deploy` onto MiniStack, and the stack as callers and operators see it."""

import functools
import json
import os
import subprocess

import botocore.auth
import botocore.awsrequest
import botocore.credentials

from harness import derive, tables
from harness.runtime import CREDENTIALS
from harness.web import ask

NAME = "e2e"
# Long enough to see an answer that is kept, short enough to wait for its end.
TTL = 5
# For how long the authorizer remembers a key: `cache_seconds` of the configuration.
CACHE = 1


def deploy(aws, folder, config_file):
    """Deploys the template; gives the stack."""
    template = folder / "template.yaml"
    # For tokens that bring groups and no scopes of ours.
    reports = functools.partial(derive.with_route, method="get", path="/reports")
    template.write_text(derive.deployable(config_file, TTL, reports))
    tables.client("s3", aws.endpoint).create_bucket(Bucket="artifacts")
    env = {**os.environ, **CREDENTIALS, "AWS_ENDPOINT_URL": aws.endpoint}
    command = ["sam", "deploy", "--template-file", str(template), "--stack-name", NAME, "--s3-bucket", "artifacts"]
    command += ["--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--region", CREDENTIALS["AWS_REGION"]]
    done = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise RuntimeError(f"sam deploy failed:\n{done.stdout[-3000:]}\n{done.stderr[-2000:]}")
    made = tables.client("cloudformation", aws.endpoint).describe_stacks(StackName=NAME)["Stacks"][0]
    return Deployed(aws, {output["OutputKey"]: output["OutputValue"] for output in made["Outputs"]})


class Deployed:
    """The stack."""

    def __init__(self, aws, outputs):
        self.aws = aws
        self.outputs = outputs

    def client(self, service, credentials=None):
        """Of a service of the emulated AWS, as `tables.client`."""
        return tables.client(service, self.aws.endpoint, credentials)

    def url(self, api, path):
        return f"{self.aws.endpoint}/_aws/execute-api/{self.outputs[f'{api}Id']}/v1{path}"

    def ask(self, api, method, path, headers=None):
        """A request to `RestApi`, `HttpApi` or `AdminApi`."""
        return ask(method, self.url(api, path), headers, b"{}" if method == "POST" else None)

    def ask_with(self, api, method, path, credential):
        return self.ask(api, method, path, {"authorization": f"Bearer {credential}"})

    def ask_signed(self, method, path, body=None):
        """A request to the administration, signed with SigV4."""
        data = json.dumps(body).encode() if body is not None else b""
        headers = {"content-type": "application/json"}
        request = botocore.awsrequest.AWSRequest(method, self.url("AdminApi", path), headers, data)
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        credentials = botocore.credentials.Credentials(*(CREDENTIALS[name] for name in names))
        botocore.auth.SigV4Auth(credentials, "execute-api", CREDENTIALS["AWS_REGION"]).add_auth(request)
        return ask(method, request.url, dict(request.headers.items()), data or None)

    def invoke(self, event):
        """The key-admin function, invoked directly."""
        payload = json.dumps(event)
        answer = self.client("lambda").invoke(FunctionName=self.outputs["KeyAdminFunctionName"], Payload=payload)
        return json.loads(answer["Payload"].read())
