"""The template on `sam local start-api`, with everything that stands behind it, to try by hand: prints lines to paste, each
with what comes of it, and serves until Ctrl-C. The port is 3000, or that of the variable PORT."""

import functools
import os
import signal
import sys

from harness import sam
from harness.keys import create_key
from sam_local import KINDS, surroundings

LINES = """
The REST API of template.yaml is at {url}

# 200: a key
curl -i -H 'Authorization: Bearer {key}' {url}/orders
# 200: a token, good for five minutes
curl -i -H 'Authorization: Bearer {token}' {url}/orders/7
# 403: the key has not the scope
curl -i -X POST -H 'Authorization: Bearer {key}' {url}/orders
# 401: no credential
curl -i {url}/orders
# 502: no key; AWS answers 401
curl -i -H 'Authorization: Bearer x' {url}/orders
# 200: open to everybody
curl -i {url}/health

Ctrl-C stops it.
"""


def main():
    # Either ends what was started here in turn, containers too.
    for ends in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ends, lambda *_: sys.exit(0))
    kind = KINDS[0]
    with surroundings() as around:
        template = around.template(kind)
        key = create_key(functools.partial(sam.invoke, template, "KeyAdminFunction"), tenant="acme", scopes=["read"])
        token = around.provider.user_token("rs256", "ann", "read")
        with sam.StartApi("try", template, int(os.environ.get("PORT", "3000"))) as gateway:
            url = f"http://127.0.0.1:{gateway.port}"
            print(LINES.format(url=url, key=key["secret"], token=token), flush=True)
            signal.pause()


if __name__ == "__main__":
    main()
