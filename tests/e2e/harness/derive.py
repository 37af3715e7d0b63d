"""From template.yaml to what `sam local start-api` can run, so that no copy is kept by hand.

`sam local` knows one stage name for a whole template and skips what it cannot emulate, so each API gets a template of its
own. Taken over unchanged: functions, routes, authorizers, identity sources. Changed:

- everything that names another API is left out, and its outputs; so are stacks inside the stack;
- the architecture is that of this machine, the code is the released binary in target/lambda;
- the configuration layer is a folder of the caller, and `sam local` passes only variables that the template declares, so
  those of the caller are declared.
"""

import json
import platform

from samcli.yamlhelper import yaml_dump

from . import ROOT
from .runtime import bootstrap
from .tables import template

ARCHITECTURE = {"x86_64": "x86_64", "aarch64": "arm64"}[platform.machine()]
_APIS = ("AWS::Serverless::Api", "AWS::Serverless::HttpApi")


def one_api(keep, config_folder, variables, change=None):
    """The text of a template with the API `keep` alone, or with all of them for None; `variables` are for every function
    with a configuration. `change` is handed the resources first."""
    source = template()
    resources = source["Resources"]
    if change:
        change(resources)
    gone = {name for name, item in resources.items() if item["Type"] in _APIS and keep not in (name, None)}
    if keep and keep not in resources:
        raise RuntimeError(f"template.yaml has no API `{keep}`")

    kept = {}
    for name, item in resources.items():
        if name in gone or item["Type"] == "AWS::CloudFormation::Stack":
            continue
        if item["Type"] == "AWS::Serverless::Function":
            properties = item["Properties"]
            events = properties.pop("Events", {})
            events = {event: body for event, body in events.items() if not _names(body, gone)}
            if events:
                properties["Events"] = events
            properties["CodeUri"] = _code(item)
            if "Environment" in properties:
                properties["Environment"]["Variables"].update(variables)
        elif item["Type"] == "AWS::Serverless::LayerVersion":
            item["Properties"]["ContentUri"] = str(config_folder)
        elif _names(item, gone):
            continue
        kept[name] = item
    source["Resources"] = kept
    source["Parameters"]["Architecture"]["Default"] = ARCHITECTURE
    source.pop("Outputs", None)
    return yaml_dump(source)


def token_authorizer(resources):
    """The REST API with an authorizer of type TOKEN."""
    authorizer = resources["RestApi"]["Properties"]["Auth"]["Authorizers"]["Doorward"]
    authorizer["FunctionPayloadType"] = "TOKEN"
    authorizer["Identity"] = {"Header": "Authorization", "ReauthorizeEvery": 0}


def simple_responses(resources):
    """The HTTP API with an authorizer that says yes or no."""
    resources["HttpApi"]["Properties"]["Auth"]["Authorizers"]["Doorward"]["EnableSimpleResponses"] = True


def payload_1(resources):
    """The HTTP API with payload format 1.0, for the authorizer and for the routes: `sam local` makes a mixed event of two
    different ones."""
    authorizer = resources["HttpApi"]["Properties"]["Auth"]["Authorizers"]["Doorward"]
    authorizer["AuthorizerPayloadFormatVersion"] = "1.0"
    del authorizer["EnableSimpleResponses"]
    for event in resources["EchoFunction"]["Properties"]["Events"].values():
        if event["Type"] == "HttpApi":
            event["Properties"]["PayloadFormatVersion"] = "1.0"


def with_route(resources, method, path):
    """One more route of both APIs."""
    events = resources["EchoFunction"]["Properties"]["Events"]
    for kind, api, names in (("Api", "RestApiId", "RestApi"), ("HttpApi", "ApiId", "HttpApi")):
        properties = {api: {"Ref": names}, "Method": method, "Path": path}
        events[f"{kind}{method}{path.replace('/', '')}"] = {"Type": kind, "Properties": properties}


def deployable(config_file, ttl, change=None):
    """The text of a template for `sam deploy` onto an emulator that runs functions as processes of this machine: they
    have no /opt, so the configuration is the file itself. Answers are kept for `ttl` seconds; `change` is handed the
    resources first."""
    source = template()
    if change:
        change(source["Resources"])
    for item in source["Resources"].values():
        if item["Type"] == "AWS::Serverless::Function":
            item["Properties"]["CodeUri"] = _code(item)
            variables = item["Properties"].get("Environment", {}).get("Variables", {})
            if "DOORWARD_CONFIG" in variables:
                variables["DOORWARD_CONFIG"] = str(config_file)
        elif item["Type"] == "AWS::Serverless::LayerVersion":
            item["Properties"]["ContentUri"] = str(ROOT / item["Properties"]["ContentUri"])
        elif item["Type"] == "AWS::CloudFormation::Stack":
            item["Properties"]["TemplateURL"] = str(ROOT / item["Properties"]["TemplateURL"])
    source["Parameters"]["Architecture"]["Default"] = ARCHITECTURE
    # The transform of the emulator does not see parameter values, so a changed one must be the default.
    source["Parameters"]["DeletionProtection"]["Default"] = "false"
    source["Parameters"]["AuthorizerTtlSeconds"]["Default"] = ttl
    return yaml_dump(source)


def _code(function):
    """The folder of the released binary of a function, in place of how `sam build` would make it."""
    return str(bootstrap(function.pop("Metadata")["BuildProperties"]["Binary"]).parent)


def _names(item, gone):
    text = json.dumps(item)
    return any(f'"{name}"' in text or f"${{{name}}}" in text for name in gone)
