"""What the functions' roles must not be able to do, asked with the credentials that the functions get."""

import json

import botocore.exceptions

KEY = {"pk": {"S": "key#0"}, "sk": {"S": "key"}}
OF_ONE = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": KEY["pk"]}}
ON_TABLES = {
    "scan": {},
    "put_item": {"Item": KEY},
    "update_item": {"Key": KEY},
    "delete_item": {"Key": KEY},
    "query": OF_ONE,
    "get_item": {"Key": KEY},
}
# MiniStack knows no conditions on partitions. What is granted for some partitions only stands here for none of them, and is
# held to them by tests/privileges.
REFUSED = {
    "Authorizer": {
        "KeysTableName": ("scan", "put_item", "update_item", "delete_item"),
        "CountersTableName": ("scan", "query", "delete_item"),
    },
    "KeyAdmin": {"KeysTableName": ("scan",), "CountersTableName": ("scan",)},
    "Echo": {"KeysTableName": tuple(ON_TABLES), "CountersTableName": tuple(ON_TABLES)},
}
# Of other services, by all three; nothing of it is granted by the parameters of this deployment.
ELSEWHERE = (
    ("secretsmanager", "get_secret_value", {"SecretId": "doorward/pepper"}),
    ("ssm", "get_parameter", {"Name": "/doorward/pepper"}),
    ("s3", "list_objects_v2", {"Bucket": "artifacts"}),
    ("kms", "list_keys", {}),
    ("iam", "list_roles", {}),
)


def credentials(stack, part):
    """Those of a function of the stack, by its role."""
    roles = stack.client("iam").list_roles()["Roles"]
    arn = next(role["Arn"] for role in roles if f"{part}Role" in role["RoleName"])
    return stack.client("sts").assume_role(RoleArn=arn, RoleSessionName="e2e")["Credentials"]


def check(checks, stack):
    for part, of_tables in REFUSED.items():
        given = credentials(stack, part)
        dynamodb = stack.client("dynamodb", given)
        for name, operations in of_tables.items():
            for operation in operations:
                came = outcome(dynamodb, operation, {"TableName": stack.outputs[name], **ON_TABLES[operation]})
                label = f"{part}: {operation} on the {name.removesuffix('TableName').lower()}: {came}"
                checks.equal(label, came, "AccessDeniedException")
        for service, operation, arguments in ELSEWHERE:
            came = outcome(stack.client(service, given), operation, arguments)
            checks.that(f"{part}: {service} {operation}: {came}", came.startswith("AccessDenied"), came)
        function = stack.outputs["KeyAdminFunctionName"]
        came = outcome(stack.client("lambda", given), "invoke", {"FunctionName": function, "Payload": json.dumps({})})
        checks.that(f"{part}: invoking key administration: {came}", came.startswith("AccessDenied"), came)
        if part != "Echo":
            came = outcome(dynamodb, "get_item", {"TableName": stack.outputs["KeysTableName"], "Key": KEY})
            checks.equal(f"{part}: reading one key: {came}", came, "done")


def outcome(client, operation, arguments):
    try:
        getattr(client, operation)(**arguments)
    except botocore.exceptions.ClientError as error:
        return error.response["Error"]["Code"]
    return "done"
