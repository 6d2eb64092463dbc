"""Rows of exports and imports of bots."""

from typing import Final

from tests.integration.matrix.row import ACCEPTED, CREATED, OK, Row
from tests.integration.matrix.rule import Caller, Outcome, Target


def _no_limited_key(caller: Caller, _: Target) -> Outcome | None:
    """A key for some bots cannot add to them, nor see who did."""
    return Outcome(403, "forbidden") if caller.limited_to else None


TRANSFERS: Final = {
    "createExport": Row(ACCEPTED, {"include": ["vectors"]}),
    "listExports": Row(OK),
    "getExport": Row(OK),
    "createImport": Row(CREATED, {"name": "Moved"}, finer=_no_limited_key),
    "listImports": Row(OK, finer=_no_limited_key),
    "getImport": Row(OK, finer=_no_limited_key),
    "startImport": Row(ACCEPTED, finer=_no_limited_key),
}
