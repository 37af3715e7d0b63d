"""Certificates for one run: an authority, a server on the loopback address, and a client."""

import dataclasses
import pathlib
import subprocess


@dataclasses.dataclass
class Pair:
    cert: pathlib.Path
    key: pathlib.Path


class Certificates:
    """Made with openssl in `folder`; keys are PKCS#8."""

    def __init__(self, folder):
        self.folder = folder
        authority = self._key("ca")
        self.ca = folder / "ca.pem"
        _openssl("req", "-x509", "-new", "-key", authority, "-subj", "/CN=authority", "-days", "2", "-out", self.ca)
        self.server = self._issued("server", authority, "subjectAltName=IP:127.0.0.1")
        self.client = self._issued("gate", authority, "extendedKeyUsage=clientAuth")

    def _key(self, name):
        path = self.folder / f"{name}.key"
        _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)
        return path

    def _issued(self, name, authority, extension):
        key, request, cert = self._key(name), self.folder / f"{name}.csr", self.folder / f"{name}.pem"
        extensions = self.folder / f"{name}.ext"
        extensions.write_text(extension)
        _openssl("req", "-new", "-key", key, "-subj", f"/CN={name}", "-out", request)
        signing = ["-CA", self.ca, "-CAkey", authority, "-CAcreateserial", "-days", "2", "-extfile", extensions]
        _openssl("x509", "-req", "-in", request, *signing, "-out", cert)
        return Pair(cert, key)


def _openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
