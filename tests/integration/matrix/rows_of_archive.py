"""Rows of the archive."""

from typing import Final

from tests.integration.matrix.row import ACCEPTED, OK, Row
from tests.integration.matrix.rule import Caller, Outcome, Target
from tests.integration.matrix.world import World


def _of_all_bots(caller: Caller, _target: Target) -> Outcome | None:
    return Outcome(403, "forbidden") if caller.limited_to else None


def _conversation(_world: World) -> dict[str, str]:
    return {"conversation_id": "01970000-0000-7000-8000-0000000000c0"}


ARCHIVE: Final = {
    "listArchiveFiles": Row(OK, finer=_of_all_bots),
    "getArchiveFile": Row(OK, finer=_of_all_bots),
    "listArchiveRows": Row(OK, finer=_of_all_bots),
    "createArchiveRestore": Row(ACCEPTED, _conversation, finer=_of_all_bots),
    "listArchiveRestores": Row(OK, finer=_of_all_bots),
    "getArchiveRestore": Row(OK, finer=_of_all_bots),
}
