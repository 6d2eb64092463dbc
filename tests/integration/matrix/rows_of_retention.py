"""Rows of retention and legal holds."""

from typing import Final

from tests.integration.matrix.row import ACCEPTED, CREATED, DONE, OK, Row
from tests.integration.matrix.rule import Caller, Outcome, Target


def _of_all_bots(caller: Caller, _target: Target) -> Outcome | None:
    return Outcome(403, "forbidden") if caller.limited_to else None


RELEASED: Final = Outcome(409, "conflict")
"""The world's only hold holds nothing any more: it would keep everything else from being deleted."""

RETENTION: Final = {
    "getRetentionPolicy": Row(OK, finer=_of_all_bots),
    "setRetentionPolicy": Row(OK, {"message_days": 30}, finer=_of_all_bots),
    "getBotRetentionPolicy": Row(OK),
    "setBotRetentionPolicy": Row(OK, {"message_days": 7}),
    "deleteBotRetentionPolicy": Row(DONE),
    "startRetentionRun": Row(ACCEPTED, {"dry_run": True}, finer=_of_all_bots),
    "listRetentionRuns": Row(OK, finer=_of_all_bots),
    "getRetentionRun": Row(OK, finer=_of_all_bots),
    "listRetentionRunItems": Row(OK, finer=_of_all_bots),
    "createLegalHold": Row(CREATED, {"reason": "Case 7"}, finer=_of_all_bots),
    "listLegalHolds": Row(OK, finer=_of_all_bots),
    "getLegalHold": Row(OK, finer=_of_all_bots),
    "releaseLegalHold": Row(RELEASED, finer=_of_all_bots),
}
