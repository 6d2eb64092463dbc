"""`chatsphere doctor` and `chatsphere maintenance`."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from chatsphere.cli.endpoints import HOME_NAME, candidates
from chatsphere.cli.errors import CliError, ExitCode
from chatsphere.cli.options import command
from chatsphere.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

    from chatsphere.upkeep.maintenance.model import Report
    from infra.local.operations.examined import Examined

WITHIN: Final = timedelta(minutes=5)
SIGNS: Final = {"ok": "ok     ", "warning": "WARNING", "failed": "FAILED ", "skipped": "skipped"}
COLOURS: Final = {"ok": "green", "warning": "yellow", "failed": "red", "skipped": "dim"}
SEVERITY_COLOURS: Final = {"critical": "red", "warning": "yellow", "info": "dim"}

AllOption = Annotated[bool, typer.Option("--all", help="Also what needs no action.")]


def register(app: typer.Typer) -> None:
    """Put the commands into the application."""
    command(app, "doctor")(doctor)
    command(app, "maintenance")(maintenance)


def doctor(session: Session) -> ExitCode:
    """Examine an installation, and say of each thing that is not well what to do. Exit code 1: something failed."""
    from infra.local.home import Home
    from infra.local.operations.database import examine_database
    from infra.local.operations.machine import endpoints_of, examine_machine
    from infra.local.operations.service import examine_service, vector_store_kind

    found = list(examine_service(session, _now))
    if _is_local(session):
        home = Home(_home(session))
        found = [*examine_machine(home, _now()), *found]
        if (endpoints := endpoints_of(home)) is not None:
            found += examine_database(home, endpoints, _now(), vector_store_kind(session))
    session.output.result([each.to_json() for each in found], lambda console: _show(console, found))
    return ExitCode.FAILED if any(each.verdict == "failed" for each in found) else ExitCode.OK


def maintenance(session: Session, everything: AllOption = False) -> ExitCode:
    """Look after the database of one machine now, and print the report. Exit code 1: something is critical."""
    from infra.local.home import Home
    from infra.local.operations.machine import START, endpoints_of
    from infra.local.operations.maintaining import maintain

    home = Home(_home(session))
    endpoints = endpoints_of(home)
    if endpoints is None:
        raise CliError(f"Nothing runs in {home.root}.", hint=START, code="not_running")
    report, key = maintain(home, endpoints, _now() + WITHIN)
    value = report.to_json() if everything else {**report.to_json(), "measures": None}
    session.output.result({**value, "kept_as": key}, lambda console: _show_report(console, report, key, everything))
    return ExitCode.FAILED if report.counts()["critical"] else ExitCode.OK


def _now() -> datetime:
    return datetime.now(UTC)


def _is_local(session: Session) -> bool:
    """Return whether it is this machine's installation that is asked, or that would be."""
    from chatsphere.cli.transport import is_loopback

    named = session.options.api or session.environment.api
    return named is None or is_loopback(named)


def _home(session: Session) -> Path:
    """Return the folder of the nearest installation, or where the next one would be."""
    places = [path.parent for path in candidates(session.environment.working_directory, session.environment.home)]
    present = next((place for place in places if place.is_dir()), None)
    return present or session.environment.home or session.environment.working_directory / HOME_NAME


def _show(console: "Console", found: "list[Examined]") -> None:
    for each in found:
        console.print(f"{SIGNS[each.verdict]}  {each.name}: {each.found}", style=COLOURS[each.verdict], soft_wrap=True)
        if each.advice:
            console.print(f"         → {each.advice}", soft_wrap=True)


def _show_report(console: "Console", report: "Report", key: str, everything: bool) -> None:
    shown = [finding for finding in report.findings if everything or finding.severity != "info"]
    for finding in shown:
        line = f"{finding.severity}: {finding.code} of {finding.about}: {finding.meaning}"
        console.print(line, style=SEVERITY_COLOURS[finding.severity], soft_wrap=True)
        console.print(f"  → {finding.advice}", soft_wrap=True)
        if finding.sql:
            console.print(f"    {finding.sql}", soft_wrap=True)
    counts = ", ".join(f"{count} {severity}" for severity, count in report.counts().items())
    console.print(f"{counts}; {len(report.analyzed)} tables analyzed; kept as {key}", soft_wrap=True)
