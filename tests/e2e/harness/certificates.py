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
        self._authority = self._key("ca")
        self.ca = folder / "ca.pem"
        _openssl("req", "-x509", "-new", "-key", self._authority, "-subj", "/CN=authority", "-days", "2", "-out", self.ca)
        self.server = self._issued("server", "server", "subjectAltName=IP:127.0.0.1")
        self.client = self.of_client("gate", "gate")

    def of_client(self, file, name):
        """A client's certificate for the common name `name`, in files called `file`."""
        return self._issued(file, name, "extendedKeyUsage=clientAuth")

    def _key(self, name):
        path = self.folder / f"{name}.key"
        _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)
        return path

    def _issued(self, file, name, extension):
        key, request, cert = self._key(file), self.folder / f"{file}.csr", self.folder / f"{file}.pem"
        extensions = self.folder / f"{file}.ext"
        extensions.write_text(extension)
        _openssl("req", "-new", "-key", key, "-subj", f"/CN={name}", "-out", request)
        signing = ["-CA", self.ca, "-CAkey", self._authority, "-CAcreateserial", "-days", "2", "-extfile", extensions]
        _openssl("x509", "-req", "-in", request, *signing, "-out", cert)
        return Pair(cert, key)


def _openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
