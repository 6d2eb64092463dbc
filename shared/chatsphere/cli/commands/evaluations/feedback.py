"""`chatsphere eval from-feedback`: rated answers as cases of an evaluation set."""

from typing import TYPE_CHECKING, Annotated

import typer

from chatsphere.cli import lookup
from chatsphere.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console


def import_feedback(
    session: Session,
    bot: Annotated[str, typer.Argument(metavar="BOT", help="The bot, by id or name.")],
    name: Annotated[str, typer.Argument(metavar="SET", help="The set, by id or name; it is made where there is none.")],
) -> None:
    """Turn the bot's rated answers into cases; those of bad ratings wait for somebody to say what is right."""
    from chatsphere.cli.evaluation.sets import set_id

    bot_id = lookup.bot_id(session, bot)
    found = set_id(session.client, bot_id, name, make=True)
    totals = {"added": 0, "needs_review": 0, "known": 0}
    more = True
    while more:
        imported = session.client.post(f"/bots/{bot_id}/evaluation-sets/{found}/import-feedback", {}, repeatable=True)
        totals |= {key: totals[key] + imported[key] for key in ("added", "needs_review")}
        # What one page added is known to the next.
        totals["known"] = imported["known"] - (totals["added"] - imported["added"])
        more = imported["more"]
    report = {"set_id": found, **totals}

    def show(console: "Console") -> None:
        console.print(f"{totals['added']} cases added, {totals['needs_review']} of them to be looked at.")
        console.print(f"{totals['known']} rated answers were in the set before.")

    session.output.result(report, show)
