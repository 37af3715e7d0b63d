"""What the authorizer counted of a key, as its table has it."""

from .tables import client

_COUNTS = ("allowed", "unauthenticated", "forbidden", "throttled", "unavailable")


def counted(endpoint, key):
    """The decisions on a key over all hours and regions, by what came of them; what never came is left out."""
    answer = client("dynamodb", endpoint).query(
        TableName="CountersTable",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"usage#{key['id']}"}},
        ConsistentRead=True,
    )
    sums = {name: sum(int(item[name]["N"]) for item in answer["Items"]) for name in _COUNTS}
    return {name: count for name, count in sums.items() if count}
