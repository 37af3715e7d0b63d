"""What deploys Doorward without SAM: the CDK construct is synthesised and its template linted, the Terraform module is read
against the declarations of the provider and, where Terraform is installed, formatted and evaluated. Nothing is deployed.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from harness import E2E, ROOT
from harness.checks import Checks

CDK = ROOT / "infra" / "cdk"
MODULE = ROOT / "infra" / "terraform"
FACTS = json.loads((ROOT / "infra" / "facts.json").read_text())


def run(*command, cwd=ROOT, stdin=None):
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, input=stdin, timeout=300)


def always(role):
    """The rights of a role that nobody has to ask for."""
    return sorted(one["Sid"] for one in FACTS["roles"][role] if one["Sid"] not in FACTS["optional"])


def cdk(checks, folder):
    done = run("node", str(CDK / "node_modules" / "typescript" / "bin" / "tsc"), "-p", str(CDK), cwd=CDK)
    checks.that("the construct has the right types", done.returncode == 0, done.stdout)
    done = run("node", "example/app.ts", str(folder), cwd=CDK)
    if not checks.that("the example is synthesised", done.returncode == 0, done.stderr[-2000:]):
        return
    path = folder / "Doorward.template.json"
    # W3005: CDK names dependencies that the references say already.
    done = run("cfn-lint", "--ignore-checks", "W3005", "--", str(path))
    checks.that("the template has nothing that cfn-lint minds", done.returncode == 0, done.stdout)
    resources = json.loads(path.read_text())["Resources"].values()

    def of(kind):
        return [resource["Properties"] for resource in resources if resource["Type"] == kind]

    rights = {
        policy["PolicyName"]: sorted(one["Sid"] for one in policy["PolicyDocument"]["Statement"])
        for role in of("AWS::IAM::Role")
        for policy in role.get("Policies", [])
    }
    checks.equal("the functions have their rights and no others", rights, {name: always(name) for name in FACTS["roles"]})
    checks.equal("nothing is added to them", of("AWS::IAM::Policy"), [])
    responses = of("AWS::ApiGateway::GatewayResponse")
    for response in responses:
        response.pop("RestApiId")
    responses.sort(key=lambda response: response["ResponseType"])
    wanted = json.loads(json.dumps(FACTS["gateway_responses"]["backend"]).replace("${CorsAllowOrigin}", "*"))
    checks.equal("the REST API has every gateway response", responses, wanted)
    http = of("AWS::ApiGatewayV2::Authorizer")[0]
    checks.equal(
        "the HTTP API gets policies under a kept header",
        {key: http[key] for key in ("AuthorizerPayloadFormatVersion", "EnableSimpleResponses", "IdentitySource")},
        {
            "AuthorizerPayloadFormatVersion": "2.0",
            "EnableSimpleResponses": False,
            "IdentitySource": ["$request.header.Authorization"],
        },
    )
    sources = [json.dumps(permission.get("SourceArn", "")) for permission in of("AWS::Lambda::Permission")]
    checks.that("both APIs may invoke it", sum("authorizers" in source for source in sources) == 2, sources)
    done = run("node", "--input-type=module", "-e", "(await import('./lib/facts.ts')).facts({})", cwd=CDK)
    checks.that("a name that nobody gives is a mistake", "does not know" in done.stderr, done.stderr)


def arguments(folder):
    python = E2E / ".venv-terraform" / "bin" / "python"
    wheel = next((E2E / ".venv-terraform" / "provider").glob("*.whl"))
    return run(str(python), str(E2E / "harness" / "terraform_arguments.py"), str(wheel), str(folder))


# What is put in the place of what, and what is said of it.
FAULTS = [
    ("billing_mode ", "biling_mode ", "there is no `biling_mode`"),
    ("attribute_name = each", "atribute_name = each", "there is no `atribute_name`"),
    ('resource "aws_iam_role" ', 'resource "aws_iam_rule" ', "there is no such kind"),
    ("  role   = aws_iam_role.all[each.key].id\n", "", "`role` is required"),
    ("aws_iam_role.all[each.key].arn", "aws_iam_role.all[each.key].urn", "has no `urn`"),
    ("      projection_type = ", "      projection = ", "`projection_type` is required"),
]


def terraform(checks, folder):
    done = arguments(MODULE)
    checks.that("the provider has every argument of the module", done.returncode == 0, done.stdout + done.stderr)
    print(f"        {done.stdout.strip()}")
    original = (MODULE / "main.tf").read_text()
    for old, new, said in FAULTS:
        assert old in original, old
        (folder / "main.tf").write_text(original.replace(old, new, 1))
        done = arguments(folder)
        checks.that(f"a fault is found: {said}", done.returncode == 1 and said in done.stdout, done.stdout + done.stderr)
    if not shutil.which("terraform"):
        print("        NOT CHECKED: format and values of the Terraform module; Terraform is not installed")
        return
    done = run("terraform", "fmt", "-check", "-diff", str(MODULE))
    checks.that("the module is formatted", done.returncode == 0, done.stdout)
    evaluated(checks, folder / "terraform")


def evaluated(checks, folder):
    """The values of the module, with texts for what only the provider knows."""
    shutil.copytree(MODULE, folder)
    shutil.copy(ROOT / "infra" / "facts.json", folder.parent)
    for path in folder.glob("*.tf"):
        if path.name not in ("main.tf", "variables.tf"):
            path.unlink()
    text = (folder / "main.tf").read_text()
    text = text[text.index("locals {") : text.index('resource "aws_dynamodb_table"')]
    text = re.sub(r"data\.aws_\w+\.here\.\w+", '"here"', text)
    text = re.sub(r'aws_\w+\.all\["(\w+)"\]\.\w+', r'"\1"', text)
    (folder / "main.tf").write_text(text)
    variables = {"authorizer_zip": "a.zip", "key_admin_zip": "k.zip", "config": "ssm:/doorward/config"}
    for more, added, stages in (
        ({}, {}, None),
        (
            {"rest_api_id": "r1", "parameter_path": "/doorward", "table_key_arn": "arn:key"},
            {
                "authorizer": ["ReadParameters", "UseTableKey"],
                "key_admin": ["FlushAuthorizerCaches", "ReadParameters", "UseTableKey"],
            },
            "rest:r1/v1",
        ),
    ):
        env = {**os.environ, **{f"TF_VAR_{name}": value for name, value in {**variables, **more}.items()}}
        expression = "jsonencode({ statements = local.statements, environment = local.environment })"
        done = subprocess.run(
            ["terraform", "console"], cwd=folder, env=env, input=expression, capture_output=True, text=True, timeout=60
        )
        case = f"with {', '.join(more) or 'nothing'} asked for"
        if not checks.that(f"the values are there {case}", done.returncode == 0, done.stderr):
            continue
        values = json.loads(json.loads(done.stdout))
        rights = {role: sorted(one["Sid"] for one in all_of) for role, all_of in values["statements"].items()}
        wanted = {role: sorted([*always(role), *added.get(role, [])]) for role in FACTS["roles"]}
        checks.equal(f"the rights are those {case}", rights, wanted)
        checks.that(f"no placeholder is left {case}", "${" not in done.stdout and "/none/" not in done.stdout, done.stdout)
        checks.equal(
            f"key administration flushes {stages}", values["environment"]["key_admin"].get("DOORWARD_FLUSH_STAGES"), stages
        )


def main():
    checks = Checks("infra")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        cdk(checks, folder / "cdk.out")
        (folder / "module").mkdir()
        terraform(checks, folder / "module")
    checks.close()


if __name__ == "__main__":
    main()
