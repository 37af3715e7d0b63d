"""Tokens of a real provider that are bound to a certificate (RFC 8705) or to a key (RFC 9449), JWTs and opaque ones, against
the released authorizer under the runtime emulator: two processes that share nothing but the table of counters."""

import json
import pathlib
import tempfile

from harness import config, events, policy, tables
from harness.certificates import Certificates
from harness.checks import Checks
from harness.emulator import MiniStack
from harness.oidc import Oidc
from harness.proofs import ProofKey
from harness.runtime import under_emulator

ROUTE = "GET /bound"
KINDS = {"jwt": "es256", "opaque": "opaque"}
SHAPES = {"REST": events.rest, "HTTP 1.0": events.of_http_1, "HTTP 2.0": events.of_http_2}


class Gate:
    """One process of the authorizer."""

    def __init__(self, function):
        self._function = function
        self._read = 0

    def outcome(self, event):
        """`allow` where the answer opens the route, else the reason that stands in the log."""
        answer = self._function.invoke(event)
        wanted = event.get("routeArn") or event["methodArn"]
        if "policyDocument" in answer and policy.allows(answer["policyDocument"], wanted):
            return "allow"
        return self._function.process.until(self._reason, 5)

    def _reason(self):
        lines = [line for line in self.output().splitlines() if '"event":"decision"' in line]
        reasons = [json.loads(line[line.index("{") :])["reason"] for line in lines if '"reason"' in line]
        if len(reasons) <= self._read:
            return None
        self._read = len(reasons)
        return reasons[-1]

    def output(self):
        return self._function.process.output()


def of_certificates(checks, provider, tls, gate):
    own, other = tls.of_client("own", "bound"), tls.of_client("other", "bound")
    for kind, alg in KINDS.items():
        token = provider.certificate_token(alg, own, tls.ca)
        for shape, event in SHAPES.items():
            bearer = event(ROUTE, {"Authorization": f"Bearer {token}"})
            for shown, pair, expected in (
                ("its certificate", own, "allow"),
                ("another certificate of the same name", other, "token_certificate"),
                ("no certificate", None, "token_certificate"),
            ):
                asked = events.with_certificate(bearer, pair.cert.read_text()) if pair else bearer
                checks.equal(f"certificate, {kind}, {shape}: with {shown}", gate.outcome(asked), expected)
        proved = event(ROUTE, {"Authorization": f"DPoP {token}"})
        proved = events.with_certificate(proved, own.cert.read_text())
        checks.equal(f"certificate, {kind}: with the scheme `DPoP`", gate.outcome(proved), "proof_unbound")
        checks.that(f"certificate, {kind}: the log does not hold the token", token not in gate.output())


def of_keys(checks, provider, folder, gate, second):
    own, other = ProofKey(folder, "own-proofs"), ProofKey(folder, "other-proofs")
    for kind, alg in KINDS.items():
        refused, token = provider.dpop_token(alg, own)
        checks.equal(f"key, {kind}: the provider wants a nonce first", refused.json().get("error"), "use_dpop_nonce")
        for shape, event in SHAPES.items():
            address = events.address(event(ROUTE, {}))

            def asked(proof, event=event, token=token):
                return event(ROUTE, {"Authorization": f"DPoP {token}", "DPoP": proof})

            def shown(key=own, method="GET", address=address, token=token, **claims):
                return asked(key.proof(method, address, token, **claims))

            for name, request, expected in (
                ("with another key's proof", shown(key=other), "proof_key"),
                ("with a proof for another method", shown(method="POST"), "proof_target"),
                ("with a proof for another address", shown(address=f"{address}/7"), "proof_target"),
                ("with a proof for another token", shown(token="another"), "proof_token"),
                ("with a proof that names no token", shown(token=None), "proof_token"),
                ("with an old proof", shown(iat=1_700_000_000), "proof_time"),
                ("as a bearer", event(ROUTE, {"Authorization": f"Bearer {token}"}), "proof_missing"),
                ("without a proof", event(ROUTE, {"Authorization": f"DPoP {token}"}), "proof_missing"),
            ):
                checks.equal(f"key, {kind}, {shape}: {name}", gate.outcome(request), expected)
            good = shown()
            checks.equal(f"key, {kind}, {shape}: with its proof", gate.outcome(good), "allow")
            checks.equal(f"key, {kind}, {shape}: again in the same process", gate.outcome(good), "proof_replayed")
            checks.equal(f"key, {kind}, {shape}: again in another process", second.outcome(good), "proof_replayed")
            checks.equal(f"key, {kind}, {shape}: a fresh proof in another process", second.outcome(shown()), "allow")
        checks.that(f"key, {kind}: the log does not hold the token", token not in gate.output() + second.output())
    free = events.rest(ROUTE, {"Authorization": f"DPoP {provider.client_token('es256', 'read')}"})
    free["headers"]["DPoP"] = own.proof("GET", events.address(free))
    free["multiValueHeaders"]["DPoP"] = [free["headers"]["DPoP"]]
    checks.equal("a token that is bound to nothing, with the scheme `DPoP`", gate.outcome(free), "proof_unbound")


def main():
    checks = Checks("possession")
    with tempfile.TemporaryDirectory(prefix="doorward-possession-") as name, MiniStack() as aws:
        folder = pathlib.Path(name)
        tables.create(aws.endpoint)
        tls = Certificates(folder)
        with Oidc(tls=tls) as provider:
            client = 'id = "gate-basic", secret = "env:DOORWARD_SECRET_CLIENT"'
            server = config.introspection(provider, "servers", client, more="default = true\n")
            path = config.write(folder, config.oidc(provider), server, config.bound())
            env = {
                "DOORWARD_CONFIG": str(path),
                "DOORWARD_COUNTERS_TABLE": "CountersTable",
                "DOORWARD_SECRET_CLIENT": "secret",
                "AWS_ENDPOINT_URL_DYNAMODB": aws.endpoint,
            }
            with (
                under_emulator("authorizer", env, "possession-first") as first,
                under_emulator("authorizer", env, "possession-second") as second,
            ):
                gate = Gate(first)
                of_certificates(checks, provider, tls, gate)
                of_keys(checks, provider, folder, gate, Gate(second))
    checks.close()


if __name__ == "__main__":
    main()
