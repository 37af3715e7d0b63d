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
from .tables import template

ARCHITECTURE = {"x86_64": "x86_64", "aarch64": "arm64"}[platform.machine()]
_APIS = ("AWS::Serverless::Api", "AWS::Serverless::HttpApi")


def one_api(keep, config_folder, variables):
    """The text of a template with the API `keep` alone; `variables` are for every function with a configuration."""
    source = template()
    resources = source["Resources"]
    gone = {name for name, item in resources.items() if item["Type"] in _APIS and name != keep}
    if keep not in resources:
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
            binary = item.pop("Metadata")["BuildProperties"]["Binary"]
            properties["CodeUri"] = str(ROOT / "target" / "lambda" / binary)
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


def deployable(config_file):
    """The text of a template for `sam deploy` onto an emulator that runs functions as processes of this machine: they
    have no /opt, so the configuration is the file itself."""
    source = template()
    for item in source["Resources"].values():
        if item["Type"] == "AWS::Serverless::Function":
            binary = item.pop("Metadata")["BuildProperties"]["Binary"]
            item["Properties"]["CodeUri"] = str(ROOT / "target" / "lambda" / binary)
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
    return yaml_dump(source)


def _names(item, gone):
    text = json.dumps(item)
    return any(f'"{name}"' in text or f"${{{name}}}" in text for name in gone)
