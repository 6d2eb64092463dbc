"""`chatsphere bots …`: list, create, show, update, delete; export and import are in `transfers`."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chatsphere.cli import lookup
from chatsphere.cli.commands.deletions import show_deletions
from chatsphere.cli.commands.transfers import export, import_file
from chatsphere.cli.confirmation import confirm
from chatsphere.cli.formatting import moment, one_line, plain
from chatsphere.cli.options import command
from chatsphere.cli.output import Rows
from chatsphere.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

DescriptionOption = Annotated[str | None, typer.Option(help="What the bot is for.")]
SystemPromptOption = Annotated[str | None, typer.Option(help="How the bot is to answer.")]
TemperatureOption = Annotated[float | None, typer.Option(min=0, max=2, help="How freely the model writes.")]
WelcomeOption = Annotated[str | None, typer.Option(help="The bot's first words.")]
VisibilityOption = Annotated[str | None, typer.Option(help="private, organization or public.")]
BotArgument = Annotated[str | None, typer.Argument(metavar="[ID|NAME]", show_default=False)]


def register(app: typer.Typer) -> None:
    """Put the commands into the application."""
    group = typer.Typer(no_args_is_help=True, help="Your bots.")
    command(group, "list")(list_bots)
    command(group, "create")(create)
    command(group, "show")(show)
    command(group, "update")(update)
    command(group, "delete")(delete)
    command(group, "export")(export)
    command(group, "import")(import_file)
    app.add_typer(group, name="bots")


def list_bots(session: Session) -> None:
    """List the bots."""
    found = list(session.client.items("/bots"))
    session.output.result({"data": found}, lambda console: _show_list(console, found))


def create(
    session: Session,
    name: Annotated[str, typer.Argument(help="The new bot's name.")],
    description: DescriptionOption = None,
    system_prompt: SystemPromptOption = None,
    temperature: TemperatureOption = None,
    welcome_message: WelcomeOption = None,
    visibility: VisibilityOption = None,
) -> None:
    """Make a bot."""
    body = _given(
        name=name,
        description=description,
        system_prompt=system_prompt,
        temperature=temperature,
        welcome_message=welcome_message,
        visibility=visibility,
    )
    bot = session.client.post("/bots", body)
    session.output.result(bot, lambda console: console.print(f"Made {plain(bot['name'])}: {bot['id']}"))


def show(session: Session, bot: BotArgument = None) -> None:
    """Show one bot."""
    found = session.client.get(f"/bots/{lookup.bot_id(session, bot)}")
    session.output.result(found, lambda console: show_fields(console, found))


def update(
    session: Session,
    bot: BotArgument = None,
    name: Annotated[str | None, typer.Option(help="A new name.")] = None,
    description: DescriptionOption = None,
    system_prompt: SystemPromptOption = None,
    temperature: TemperatureOption = None,
    welcome_message: WelcomeOption = None,
    visibility: VisibilityOption = None,
) -> None:
    """Change a bot; what is not named stays."""
    body = _given(
        name=name,
        description=description,
        system_prompt=system_prompt,
        temperature=temperature,
        welcome_message=welcome_message,
        visibility=visibility,
    )
    changed = session.client.patch(f"/bots/{lookup.bot_id(session, bot)}", body)
    session.output.result(changed, lambda console: show_fields(console, changed))


def delete(
    session: Session,
    bot: Annotated[str, typer.Argument(metavar="ID|NAME")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a bot with its documents and conversations."""
    # Named in full, never the default: deleting cannot be taken back.
    found = session.client.get(f"/bots/{lookup.bot_id(session, bot)}")
    confirm(session, f"Delete {plain(found['name'])} ({found['id']}) and all it holds?", yes=yes)
    answer = session.client.delete(f"/bots/{found['id']}")
    session.output.result(
        {"id": found["id"], "deleted": True, **answer},
        lambda console: show_deletions(console, [answer["deletion"]]),
    )


def show_fields(console: "Console", item: dict[str, Any]) -> None:
    """Print an object's fields, one a line, and those of objects in it as `configuration.top_k`."""
    rows = Rows(["field", "value"], elide=["value"])
    for name, value in _leaves(item):
        if value not in (None, "", {}, []):
            rows.add(name, moment(value) if name.endswith("_at") else one_line(_as_sent(value), 400))
    console.print(rows.table)


def _leaves(item: dict[str, Any], within: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in item.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{within}{name}.")
        else:
            yield f"{within}{name}", value


def _as_sent(value: Any) -> str:
    """Return a value as the API takes it: true, and not True."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _show_list(console: "Console", bots: list[dict[str, Any]]) -> None:
    if not bots:
        console.print("No bots yet. Make one: chatsphere bots create NAME")
        return
    rows = Rows(["id", "name", "status", "created"], elide=["name"])
    for bot in bots:
        rows.add(bot["id"], one_line(bot["name"]), str(bot.get("status", "")), moment(bot.get("created_at")))
    console.print(rows.table)


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
