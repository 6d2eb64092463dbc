"""Whether everything that ChatSphere depends on answers, asked side by side and for a short time only."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final, Literal

from chatsphere.errors import (
    ChatSphereError,
    ConfigurationError,
    ProviderOverloadedError,
    ProviderRejectedError,
    UnavailableError,
)
from chatsphere.observability import logger

Status = Literal["ok", "degraded", "down"]

WITHIN_SECONDS: Final = 2.5

CAUSES: Final[Mapping[str, str]] = {
    "unreachable": "It does not answer.",
    "timeout": "It did not answer in time.",
    "overloaded": "It wants to be left alone for a while.",
    "rejected": "It does not take our key, or does not know what we ask of it.",
    "not_configured": "A setting is missing or wrong; the log names it.",
    "failed": "The check itself failed; the log says why.",
    "revision_behind": "The database is at an older revision than the code: the migrations have not been run.",
    "revision_ahead": "The database is at a newer revision than the code, as during a rollback.",
    "partitions_missing": "There is no partition for what is written soon: the retention job does not run.",
    "dead_messages": "Messages could not be worked off: look at the dead-letter queues, then redrive them.",
}
"""What is wrong, in words for people; the codes are stable."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found. `details` are numbers and names that are nobody's secret."""

    cause: str | None = None
    status: Status = "ok"
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Checked:
    """One dependency: `cause` is a code of `CAUSES`."""

    status: Status
    cause: str | None
    latency_ms: int | None
    details: Mapping[str, Any]


Check = Callable[[], Finding]


class Examiner:
    """Runs checks. One that did not answer the last time is waited for once more, and not asked a second time: whoever
    looks every few seconds would pile up threads that all wait for the same thing.
    """

    def __init__(self) -> None:
        self._silent: dict[str, Future[Checked]] = {}

    def examine(self, checks: Mapping[str, Check], *, within_seconds: float = WITHIN_SECONDS) -> dict[str, Checked]:
        """Run all checks at once, and return what each found; what takes longer is down, and is not waited for."""
        threads = ThreadPoolExecutor(max(1, len(checks)), thread_name_prefix="health")
        # Waited for, too: a function that stands still between requests gives it no other time to answer.
        running: dict[str, Future[Checked]] = {
            name: self._asked_before(name) or threads.submit(copy_context().run, _checked, name, check)
            for name, check in checks.items()
        }
        wait(running.values(), timeout=within_seconds)
        threads.shutdown(wait=False)
        self._silent = {name: future for name, future in running.items() if not future.done()}
        return {name: _result(future) for name, future in running.items()}

    def _asked_before(self, name: str) -> Future[Checked] | None:
        before = self._silent.get(name)
        return None if before is None or before.done() else before


def overall(checked: Mapping[str, Checked], essential: frozenset[str]) -> Status:
    """Return down where something essential is, degraded where anything is not well."""
    if any(check.status == "down" and name in essential for name, check in checked.items()):
        return "down"
    return "ok" if all(check.status == "ok" for check in checked.values()) else "degraded"


def _result(future: Future[Checked]) -> Checked:
    try:
        return future.result(timeout=0)
    except TimeoutError:
        return Checked("down", "timeout", None, {})


def _checked(name: str, check: Check) -> Checked:
    begun = monotonic()
    try:
        found = check()
    except Exception as error:
        # Whatever it is, the other checks are told; nothing of the error's text is.
        logger.warning("not healthy", check=name, error=type(error).__name__, detail=_loggable(error))
        found = Finding(_cause(error), "degraded" if isinstance(error, ProviderOverloadedError) else "down")
    return Checked(found.status, found.cause, round(1000 * (monotonic() - begun)), found.details)


def _cause(error: Exception) -> str:
    match error:
        case ProviderOverloadedError():
            return "overloaded"
        case ProviderRejectedError():
            return "rejected"
        case ConfigurationError():
            return "not_configured"
        case UnavailableError():
            return "unreachable"
        case _:
            return "failed"


def _loggable(error: Exception) -> str:
    """Return our own errors' text: those of others may hold what no log may."""
    return error.detail if isinstance(error, ChatSphereError) else ""
