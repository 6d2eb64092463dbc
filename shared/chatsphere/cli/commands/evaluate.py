"""`chatsphere eval …`: how well a bot finds, answers, cites and refuses, measured through the product."""

from typing import Any

import typer
from typer.core import TyperGroup

from chatsphere.cli.commands.evaluations import answers, calibrate, compare, feedback, followups, refusal, retrieval
from chatsphere.cli.options import command

DEFAULT = "retrieval"


class RetrievalByDefault(TyperGroup):
    """A group of which `eval DIR…` is `eval retrieval DIR…`. A folder named like a command is written `./answers`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the default command before arguments that name none."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)


def register(app: typer.Typer) -> None:
    """Put the commands into the application."""
    group = typer.Typer(
        cls=RetrievalByDefault,
        no_args_is_help=True,
        help="Measure retrieval, answers and refusals on judged questions.",
    )
    command(group, "retrieval")(retrieval.evaluate)
    command(group, "answers")(answers.evaluate)
    command(group, "refusal")(refusal.evaluate)
    command(group, "followups")(followups.evaluate)
    command(group, "compare")(compare.evaluate)
    command(group, "calibrate")(calibrate.evaluate)
    command(group, "from-feedback")(feedback.import_feedback)
    app.add_typer(group, name="eval")
    command(app, "publish")(compare.publish)
