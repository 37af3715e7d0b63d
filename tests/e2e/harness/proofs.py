"""Proofs of possession (RFC 9449 section 4.2), made with openssl: no library that is under test, or behind the provider."""

import base64
import hashlib
import json
import subprocess
import time
import uuid


class ProofKey:
    """A key on P-256 in `folder`, for ES256."""

    def __init__(self, folder, name):
        self._path = folder / f"{name}.key"
        _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", self._path)
        # The point is the end of the DER: x and y (RFC 5480 section 2.2).
        point = _openssl("pkey", "-in", self._path, "-pubout", "-outform", "DER")[-64:]
        self.jwk = {"kty": "EC", "crv": "P-256", "x": encoded(point[:32]), "y": encoded(point[32:])}

    def proof(self, method, address, token=None, **claims):
        """A proof for one request, made now, with a `jti` of its own; `claims` are put over the usual ones."""
        usual = {"jti": str(uuid.uuid4()), "htm": method, "htu": address, "iat": int(time.time())}
        if token is not None:
            usual["ath"] = encoded(hashlib.sha256(token.encode()).digest())
        header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk}
        signed = ".".join(encoded(json.dumps(part).encode()) for part in (header, {**usual, **claims}))
        signature = _openssl("dgst", "-sha256", "-sign", self._path, stdin=signed.encode())
        return f"{signed}.{encoded(_joined(signature))}"


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _joined(der):
    """The two numbers of a DER signature, each in 32 bytes, one after the other (RFC 7518 section 3.4)."""
    numbers, at = [], 2
    for _ in range(2):
        size = der[at + 1]
        numbers.append(int.from_bytes(der[at + 2 : at + 2 + size], "big").to_bytes(32, "big"))
        at += 2 + size
    return b"".join(numbers)


def _openssl(*arguments, stdin=None):
    return subprocess.run(["openssl", *map(str, arguments)], input=stdin, check=True, capture_output=True).stdout
