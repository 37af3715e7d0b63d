"""What every end-to-end suite needs: processes that end, exact checks, plain HTTP, tables made from the template."""

import pathlib

E2E = pathlib.Path(__file__).resolve().parent.parent
ROOT = E2E.parent.parent
