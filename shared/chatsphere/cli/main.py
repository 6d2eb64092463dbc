"""`chatsphere`: the commands, put together."""

import sys
from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import Annotated, Final

import typer

from chatsphere import __version__
from chatsphere.cli.commands import (
    account,
    archive,
    ask,
    bots,
    conversations,
    deletions,
    documents,
    drop,
    erasure,
    evaluate,
    feedback,
    history,
    insights,
    reembed,
    repairs,
    retention,
    search,
    shell,
    sources,
    status,
    vectors,
    watch,
    webhooks,
)
from chatsphere.cli.errors import ExitCode
from chatsphere.cli.options import ApiKeyOption, ApiOption, DebugOption, JsonOption
from chatsphere.cli.session import CommonOptions

COMMANDS: Final = "chatsphere.commands"
"""The group of entry points whose functions each put commands into the application."""

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done · 1 failed · 2 wrong usage · 3 ask: not in the documents · "
    "4 API not reachable · 5 not authenticated · 130 Ctrl-C",
)
for module in (
    status,
    account,
    bots,
    documents,
    sources,
    deletions,
    erasure,
    retention,
    archive,
    drop,
    watch,
    history,
    repairs,
    reembed,
    vectors,
    ask,
    search,
    conversations,
    feedback,
    insights,
    webhooks,
    evaluate,
    shell,
):
    module.register(app)


def _add_commands_of_others() -> None:
    for entry in entry_points(group=COMMANDS):
        try:
            register = entry.load()
        except ModuleNotFoundError as error:
            # Declared by the source tree and not part of this installation.
            if error.name == entry.module.partition(".")[0]:
                continue
            raise
        register(app)


_add_commands_of_others()


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"chatsphere {__version__}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    api: ApiOption = None,
    api_key: ApiKeyOption = None,
    json: JsonOption = False,
    debug: DebugOption = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Drop files, ask, and read answers with citations: a client of ChatSphere's HTTP API."""
    context.obj = CommonOptions(api, api_key, json, debug)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    try:
        app(args=None if arguments is None else list(arguments), prog_name="chatsphere")
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else int(ExitCode.OK)
    return int(ExitCode.OK)


def run() -> None:
    """Entry point of the `chatsphere` script."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal with another encoding shows a question mark rather than a traceback.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    sys.exit(main())
