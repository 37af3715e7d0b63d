"""API keys, made the way an operator makes them: by the key-admin function."""


def create_key(invoke, **fields):
    """A key with the fields given; `invoke` sends one event to the function. Gives `id` and `secret`."""
    event = {"operation": "create", "name": "end to end", "environment": "test", **fields}
    reply = invoke(event)
    if "secret" not in reply:
        raise RuntimeError(f"key-admin made no key: {reply}")
    return {"id": reply["key"]["id"], "secret": reply["secret"]}
