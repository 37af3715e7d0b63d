"""Plain HTTP: what a caller sees, as data."""

import base64
import dataclasses
import json
import urllib.error
import urllib.parse
import urllib.request


# Everything is on this machine; a proxy of the environment must not come between.
def _opener(*handlers):
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), *handlers)


_OPENER = _opener()


@dataclasses.dataclass
class Answer:
    status: int
    headers: dict
    text: str

    def json(self):
        try:
            return json.loads(self.text)
        except ValueError as error:
            raise RuntimeError(f"no JSON in the answer {self.status}: {self.text[:400]!r}") from error


def ask(method, url, headers=None, data=None, seconds=60, tls=None):
    """Sends one request. `data` as dict is sent as JSON, as text or bytes as it is. `tls` holds a certificate."""
    headers = dict(headers or {})
    if isinstance(data, (dict, list)):
        data = json.dumps(data)
        headers.setdefault("content-type", "application/json")
    body = data.encode() if isinstance(data, str) else data
    request = urllib.request.Request(url, data=body, headers=headers, method=method)
    opener = _opener(urllib.request.HTTPSHandler(context=tls)) if tls else _OPENER
    try:
        with opener.open(request, timeout=seconds) as reply:
            return _answer(reply)
    except urllib.error.HTTPError as reply:
        return _answer(reply)


def form(url, fields, user=None, password=None, headers=None, tls=None):
    """Posts a form, with HTTP basic authentication where a user is named."""
    headers = {"content-type": "application/x-www-form-urlencoded", **(headers or {})}
    if user is not None:
        headers["authorization"] = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    return ask("POST", url, headers, urllib.parse.urlencode(fields), tls=tls)


def _answer(reply):
    headers = {name.lower(): value for name, value in reply.headers.items()}
    return Answer(reply.status, headers, reply.read().decode(errors="replace"))
