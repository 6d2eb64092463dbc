"""Rows of erasures of end users, documents and bots."""

from typing import Final

from tests.integration.matrix.row import ACCEPTED, OK, Row

ERASURES: Final = {
    "requestErasure": Row(ACCEPTED, {"kind": "end_user", "end_user_id": "nobody"}),
    "listErasures": Row(OK),
    "getErasure": Row(OK),
}
