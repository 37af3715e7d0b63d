"""What schemathesis has to know of the admin API beyond its description: how requests are signed, and the formats that JSON
Schema has no word for. In two places fields depend on each other, which a schema cannot say either."""

import itertools
import os

import schemathesis
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import strategies as st
from requests.auth import AuthBase

DAY = 86400
LAST_SECOND = 253402300799
# Keys that are there, one after the other: a made-up id finds nothing, and little would be seen of what is done to keys.
KEYS = itertools.cycle(os.environ["ADMIN_API_KEYS"].split(","))
CREDENTIALS = Credentials(os.environ["ADMIN_API_ID"], os.environ["ADMIN_API_SECRET"])


class Signed(AuthBase):
    """AWS Signature Version 4, by the signer of botocore."""

    def __call__(self, request):
        # A space in a query has two spellings, and signatures know one of them.
        request.url = request.url.replace("+", "%20")
        asked = AWSRequest(request.method, request.url, data=request.body or b"")
        SigV4Auth(CREDENTIALS, "execute-api", "us-east-1").add_auth(asked)
        request.headers.update(dict(asked.headers.items()))
        return request


schemathesis.auth.set_from_requests(Signed())
schemathesis.openapi.format("environment", st.sampled_from(["test", "live"]))
schemathesis.openapi.format(
    "ip-range",
    st.one_of(
        st.ip_addresses(v=4).map(str),
        st.integers(0, 2**24 - 1).map(lambda n: f"{n >> 16}.{n >> 8 & 255}.{n & 255}.0/24"),
        st.integers(1, 2**16 - 1).map(lambda n: f"2001:db8:{n:x}::/48"),
    ),
)


@schemathesis.hook
def filter_body(context, body):
    """An array that may be null is still valid when it is null, however its items were spoilt."""
    return not (isinstance(body, dict) and body.get("addresses", []) is None)


def name_tokens(body):
    """Tokens are of an issuer that is configured, and named in one way."""
    body["issuer"] = os.environ["ADMIN_API_ISSUER"]
    ways = [way for way in ("jti", "originJti", "subject", "client") if body.get(way) is not None]
    body["all"] = not ways
    for way in ways[1:]:
        del body[way]
    if ways[:1] == ["jti"]:
        body.pop("issuedBefore", None)


@schemathesis.hook
def before_call(context, case, kwargs):
    """Fields that depend on each other are made to fit in requests that shall be valid."""
    if not case.meta.generation.mode.is_positive:
        return
    is_of_a_key = case.path.startswith("/keys/{id}")
    if is_of_a_key and case.meta.phase.name != "stateful":
        case.path_parameters["id"] = next(KEYS)
    query = case.query or {}
    body = case.body if isinstance(case.body, dict) else {}
    # The end of a time is behind its beginning, and usage is not asked for too much of it.
    if "from" in query:
        begin = min(int(query["from"]), LAST_SECOND - DAY)
        query.update({"from": begin, "to": begin + DAY})
    elif "to" in query:
        query["to"] = max(int(query["to"]), 400 * DAY)
    if case.path == "/blocks" and case.method == "POST":
        name_tokens(body)
    if case.path.endswith("/rotation") and case.method == "PUT":
        # At a time or in some days, and each successor is rotated before it ends.
        body.pop("at", None)
        body["inDays"] = body.get("inDays") or 1
        body.pop("everyDays", None)
    # A decoy opens nothing, so nothing says what it may do.
    if body.get("decoy"):
        for field in ("scopes", "routes", "addresses", "plan", "usagePlanKey"):
            body.pop(field, None)
    # A key ends at a time or after some days.
    if body.get("expiresInDays") is not None:
        body.pop("expiresAt", None)
    # What a header says is not said again elsewhere.
    for header, field in (("Idempotency-Key", "idempotencyKey"), ("If-Match", "expectedVersion")):
        if (field in body or field in query) and case.headers:
            case.headers.pop(header, None)
