"""The tables of template.yaml in an emulator of DynamoDB: what the functions meet is what would be deployed."""

import boto3
from samcli.yamlhelper import yaml_parse

from . import ROOT
from .runtime import CREDENTIALS

# Properties of AWS::DynamoDB::Table that CreateTable takes under the same name.
_SAME = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")


def template():
    """template.yaml as data; `!Ref X` reads `{"Ref": "X"}`."""
    return yaml_parse((ROOT / "template.yaml").read_text())


def client(service, endpoint, credentials=None):
    """A client of an emulator; `credentials` as STS gives them, else those that may do everything."""
    credentials = credentials or {
        "AccessKeyId": CREDENTIALS["AWS_ACCESS_KEY_ID"],
        "SecretAccessKey": CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    }
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=CREDENTIALS["AWS_REGION"],
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials.get("SessionToken"),
    )


def create(endpoint):
    """Makes every table of the template under its logical id, as `sam local` resolves `!Ref`; gives the names."""
    dynamodb = client("dynamodb", endpoint)
    names = []
    for name, resource in template()["Resources"].items():
        if resource["Type"] != "AWS::DynamoDB::Table":
            continue
        properties = resource["Properties"]
        dynamodb.create_table(TableName=name, **{key: properties[key] for key in _SAME if key in properties})
        dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
        if "TimeToLiveSpecification" in properties:
            ttl = properties["TimeToLiveSpecification"]
            dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=ttl)
        names.append(name)
    return names
