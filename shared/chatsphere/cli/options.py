"""How a function becomes a command: it is given a `Session`, and every command takes the same common options."""

import inspect
import sys
from collections.abc import Callable
from typing import Annotated, Any, Concatenate, ParamSpec

import typer

from chatsphere.cli.errors import CliError, ExitCode
from chatsphere.cli.session import CommonOptions, Session

Parameters = ParamSpec("Parameters")
Command = Callable[Concatenate[Session, Parameters], ExitCode | None]

_PANEL = "Common options"

ApiOption = Annotated[
    str | None,
    typer.Option("--api", metavar="URL", help="Address of the API, before CHATSPHERE_API.", rich_help_panel=_PANEL),
]
ApiKeyOption = Annotated[
    str | None,
    typer.Option("--api-key", metavar="KEY", help="API key, before CHATSPHERE_API_KEY.", rich_help_panel=_PANEL),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.", rich_help_panel=_PANEL)]
DebugOption = Annotated[bool, typer.Option("--debug", help="Show where an error arose.", rich_help_panel=_PANEL)]
BotOption = Annotated[
    str | None, typer.Option("--bot", "-b", metavar="ID|NAME", help="The bot; may be left out where there is one.")
]


def command(app: typer.Typer, name: str) -> Callable[[Command[Parameters]], Command[Parameters]]:
    """Register a function as a command of `app`. Its exit code is what it returns, 0 for None."""

    def register(function: Command[Parameters]) -> Command[Parameters]:
        app.command(name)(_with_common_options(function))
        return function

    return register


def _with_common_options(function: Command[Parameters]) -> Callable[..., None]:
    def invoke(
        context: typer.Context,
        /,
        api: ApiOption = None,
        api_key: ApiKeyOption = None,
        json: JsonOption = False,
        debug: DebugOption = False,
        **arguments: Any,
    ) -> None:
        given = CommonOptions(api, api_key, json, debug).or_else(context.find_root().obj or CommonOptions())
        raise typer.Exit(_run(function, given, arguments))

    # typer reads the signature: the command's own parameters without its session, then the common ones.
    context, *common, _ = inspect.signature(invoke).parameters.values()
    _, *own = inspect.signature(function, eval_str=True).parameters.values()
    parameters = [context.replace(kind=inspect.Parameter.KEYWORD_ONLY)]
    parameters += [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in (*own, *common)]

    def wrapped(**values: Any) -> None:
        invoke(values.pop("context"), **values)

    wrapped.__doc__ = function.__doc__
    wrapped.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    wrapped.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return wrapped


def _run(function: Callable[..., ExitCode | None], options: CommonOptions, arguments: dict[str, Any]) -> int:
    """Run a command and turn what it raises into a message and an exit code; a traceback only with --debug."""
    session = Session(options)
    try:
        return int(function(session, **arguments) or ExitCode.OK)
    except CliError as error:
        _trace(options)
        session.output.error(error)
        return int(error.exit_code)
    except typer.Abort:  # Ctrl-C at a prompt
        return int(ExitCode.INTERRUPTED)
    except (typer.Exit, typer.TyperException, BrokenPipeError):
        raise
    except Exception as error:
        _trace(options)
        session.output.error(
            CliError(
                f"{type(error).__name__}: {error}", hint="Run it again with --debug to see where.", code="internal"
            )
        )
        return int(ExitCode.FAILED)
    finally:
        session.close()


def _trace(options: CommonOptions) -> None:
    if options.debug:
        import traceback

        traceback.print_exc(file=sys.stderr)
