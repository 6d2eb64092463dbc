"""What can go wrong for a command, and the exit codes that a script can trust."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, ClassVar


class ExitCode(IntEnum):
    """Every exit code of `chatsphere`."""

    OK = 0
    FAILED = 1
    """The server said no, or a document failed."""
    USAGE = 2
    """The command line is wrong: nothing was done."""
    REFUSED = 3
    """`ask`: the documents do not hold the answer."""
    UNREACHABLE = 4
    """The API does not answer."""
    UNAUTHENTICATED = 5
    """There is no credential, or the server does not take it."""
    INTERRUPTED = 130
    """Ctrl-C."""


class CliError(Exception):
    """A command cannot go on. `hint` says what the user can do about it."""

    exit_code: ClassVar[ExitCode] = ExitCode.FAILED
    default_code: ClassVar[str] = "failed"

    def __init__(self, detail: str, *, hint: str | None = None, code: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.hint = hint
        self.code = code or self.default_code

    def as_json(self) -> dict[str, Any]:
        """Return what `--json` prints of the error."""
        return {"code": self.code, "detail": self.detail, "hint": self.hint, "exit_code": int(self.exit_code)}


class UsageError(CliError):
    """The arguments, or what they name, do not say what to do."""

    exit_code = ExitCode.USAGE
    default_code = "usage"


class UnreachableError(CliError):
    """No connection to the API, or it broke before an answer came."""

    exit_code = ExitCode.UNREACHABLE
    default_code = "unreachable"


class UnauthenticatedError(CliError):
    """There is no credential for the API, or the API does not take it."""

    exit_code = ExitCode.UNAUTHENTICATED
    default_code = "unauthenticated"


class ApiError(CliError):
    """The API answered with a problem document (RFC 9457), or with something that is none."""

    def __init__(self, status: int, problem: Mapping[str, Any], *, hint: str | None = None) -> None:
        detail = str(problem.get("detail") or problem.get("title") or f"The API answered with status {status}.")
        super().__init__(detail, hint=hint, code=str(problem.get("code") or f"http_{status}"))
        self.status = status
        self.request_id = problem.get("request_id")
        self.fields: list[dict[str, Any]] = list(problem.get("errors") or [])

    def as_json(self) -> dict[str, Any]:
        """Return what `--json` prints of the error."""
        return {**super().as_json(), "status": self.status, "request_id": self.request_id, "errors": self.fields}
