"""The limit of a deployed route, as a caller meets it."""

from .config import WRITES


def used_up(checks, name, provider, post):
    """Spends what one subject may; `post` sends a token to the limited route. Each token is a caller of its own to a cache
    of the gateway and the same to the limit."""

    def token():
        return provider.user_token("rs256", f"writer of {name}", "read write")

    within = [post(token()) for _ in range(WRITES)]
    checks.equal(f"{name}: within the limit calls pass", [answer.status for answer in within], [200] * WRITES)
    checks.equal(
        f"{name}: and learn what is left",
        [answer.headers.get("x-ratelimit-remaining") for answer in within],
        [str(WRITES - 1 - place) for place in range(WRITES)],
    )
    over = post(token())
    checks.equal(f"{name}: one more is too many", (over.status, over.headers.get("x-ratelimit-remaining")), (429, "0"))
    retry_after = int(over.headers.get("retry-after", 0))
    checks.that(f"{name}: and learns when to come back", 0 < retry_after <= 3600, retry_after)
