"""What an installation says of itself, asked over its API like any client: one machine or a deployment."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx

from chatsphere.cli.errors import CliError, ExitCode
from chatsphere.cli.session import Session
from chatsphere.cli.transport import open_http
from infra.local.operations.examined import Examined, Verdict
from infra.local.operations.tenant import erasures, retention, stalled, webhooks

SKEW: Final = timedelta(seconds=60)
"""Signatures and tokens tolerate not much more."""

START: Final = "Start it with `make up`; if it runs, see its logs."
ADVICE: Final[Mapping[str, str]] = {
    "unreachable": "See that it runs and that its address is right; its own log says more.",
    "timeout": "See whether it is overloaded or far away.",
    "overloaded": "Wait; if it stays, raise the quota at its vendor.",
    "rejected": "Check its API key and the model's name.",
    "not_configured": "Check the settings; the log of describe_api names the one that is missing.",
    "failed": "See the log of describe_api.",
    "revision_behind": "Run the migrations: restart one machine, deploy again in the cloud.",
    "revision_ahead": "Deploy the newer release again, unless this is a rollback.",
    "partitions_missing": "See why enforce_retention does not run: its log, and its schedule.",
    "dead_messages": "Find out why, then redrive: `chatsphere redrive`, or docs/operations.md.",
}


def examine_service(session: Session, now: Callable[[], datetime]) -> Iterator[Examined]:
    """Yield what there is to say of the API and of what it depends on."""
    try:
        api = session.target.api
    except CliError as error:
        yield Examined("API", "failed", error.detail, error.hint or START)
        return
    lives = list(_lives(api, now))
    yield from lives
    if lives[0].verdict == "failed":
        return
    yield _ready(session)
    credential = _credential(session)
    yield credential
    if credential.verdict == "ok":
        for look in (_deep, stalled, retention, erasures, webhooks):
            yield from _unless_refused(look, session, now())


def vector_store_kind(session: Session) -> str | None:
    """Return where the installation keeps its vectors; None where it does not say so."""
    try:
        checks = session.client.impatient().get("/health/deep")["checks"]
    except CliError:
        return None
    kind = checks.get("vector_store", {}).get("details", {}).get("kind")
    return str(kind) if kind is not None else None


def _lives(api: str, now: Callable[[], datetime]) -> Iterator[Examined]:
    try:
        with open_http(api) as http:
            before = now()
            answer = http.get("/health/live")
            after = now()
    except httpx.HTTPError as error:
        yield Examined("API", "failed", f"{api} does not answer ({type(error).__name__}).", START)
        return
    if answer.status_code != httpx.codes.OK:
        yield Examined("API", "failed", f"{api} answered with status {answer.status_code}.", START)
        return
    yield Examined("API", "ok", api)
    if (date := answer.headers.get("date")) is not None:
        # The header has no fractions of a second.
        skew = max(parsedate_to_datetime(date) - after, before - parsedate_to_datetime(date) - timedelta(seconds=1))
        found = f"{max(skew.total_seconds(), 0):.0f} s apart from the API's"
        advice = "Set this machine's clock by NTP: signatures and tokens are refused." if skew > SKEW else None
        yield Examined("clock", "failed" if skew > SKEW else "ok", found, advice)


def _ready(session: Session) -> Examined:
    try:
        session.anonymous.impatient().get("/health/ready")
    except CliError as error:
        return Examined("ready", "failed", error.detail, "See what is down in the lines below, and the logs.")
    return Examined("ready", "ok", "It can work.")


def _credential(session: Session) -> Examined:
    try:
        me = session.client.impatient().get("/me")
    except CliError as error:
        hint = error.hint or "Log in with `chatsphere login`, or name a key with --api-key."
        return Examined("credential", "failed", error.detail, hint)
    organization = (me.get("organization") or {}).get("name") or "an organization"
    return Examined("credential", "ok", f"It works, for {organization}.")


def _unless_refused(
    look: Callable[[Session, datetime], Iterator[Examined]], session: Session, now: datetime
) -> Iterator[Examined]:
    """Yield what a look found; what this caller may not see is skipped."""
    name = look.__name__.strip("_")
    try:
        yield from look(session, now)
    except CliError as error:
        refused = error.exit_code is ExitCode.UNAUTHENTICATED or getattr(error, "status", None) in (403, 404)
        advice = "Ask as an owner or admin." if refused else None
        yield Examined(name, "skipped" if refused else "failed", error.detail, advice)


def _deep(session: Session, _now: datetime) -> Iterator[Examined]:
    health = session.client.impatient().get("/health/deep")
    if not health["checks"]:
        advice = "Ask as an admin of an operator's organization (OPERATOR_ORGANIZATIONS)."
        yield Examined("deep", "skipped", "Only operators are told what is not well.", advice)
    for name, check in health["checks"].items():
        words = name.replace("_", " ")
        if check["cause"] is None:
            yield Examined(words, "ok", _details(name, check))
            continue
        verdict: Verdict = "failed" if check["status"] == "down" else "warning"
        found = f"{check['meaning'] or check['cause']} {_details(name, check)}".strip()
        yield Examined(words, verdict, found, ADVICE.get(check["cause"]))


def _details(name: str, check: Mapping[str, Any]) -> str:
    details = check["details"]
    if name == "database" and details:
        ahead = min((details.get("partitions_ahead_days") or {"": 0}).values())
        return f"revision {details['revision']}, partitions for {ahead} days"
    if name == "queues":
        waiting = sum(queue["waiting"] for queue in details.values())
        dead = {queue: length["dead"] for queue, length in details.items() if length["dead"]}
        return f"{waiting} messages wait" + (f"; dead: {dead}" if dead else "")
    return f"{check['latency_ms']} ms"
