"""Bots and documents by id or by name."""

from collections.abc import Iterable
from typing import TYPE_CHECKING
from uuid import UUID

from chatsphere.cli.errors import UsageError
from chatsphere.cli.session import Session

if TYPE_CHECKING:
    from chatsphere.cli.client import JsonObject


def bot_id(session: Session, reference: str | None) -> str:
    """Return the id of the bot that is meant: the named one, the demo's, or the only one.

    Raises:
        UsageError: none or several are meant.
    """
    if reference is None and session.target.default_bot_id:
        return session.target.default_bot_id
    if reference is not None and _is_id(reference):
        return reference
    bots = list(session.client.items("/bots"))
    if reference is not None:
        return _named(bots, reference, "bot", "chatsphere bots list")
    if len(bots) == 1:
        return str(bots[0]["id"])
    if not bots:
        raise UsageError("There is no bot yet.", hint="Make one: chatsphere bots create NAME", code="no_bot")
    names = ", ".join(sorted(str(bot["name"]) for bot in bots[:10]))
    raise UsageError(f"There are {len(bots)} bots: {names}.", hint="Say which: --bot ID|NAME", code="which_bot")


def document_id(session: Session, bot: str, reference: str) -> str:
    """Return the id of the document of a bot that is meant, by id or by name.

    Raises:
        UsageError: no document has the name, or several have it.
    """
    if _is_id(reference):
        return reference
    return _named(session.client.items(f"/bots/{bot}/documents"), reference, "document", "chatsphere docs list")


def _is_id(reference: str) -> bool:
    try:
        UUID(reference)
    except ValueError:
        return False
    return True


def _named(items: Iterable["JsonObject"], name: str, kind: str, listing: str) -> str:
    """Return the id of the item with this name; upper and lower case count only where they must."""
    alike = [item for item in items if str(item.get("name", "")).casefold() == name.casefold()]
    found = [item for item in alike if item["name"] == name] or alike
    if len(found) == 1:
        return str(found[0]["id"])
    if not found:
        raise UsageError(f"There is no {kind} named {name!r}.", hint=f"See them: {listing}", code=f"no_such_{kind}")
    ids = ", ".join(str(item["id"]) for item in found)
    raise UsageError(f"{len(found)} {kind}s are named {name!r}: {ids}.", hint="Use the id.", code=f"which_{kind}")
