"""What an examination found: one line for each thing that was looked at."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

Verdict = Literal["ok", "warning", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Examined:
    """`found` says what is, `advice` what to do; what is skipped could not be looked at, and `found` says why."""

    name: str
    verdict: Verdict
    found: str
    advice: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON's own types."""
        return asdict(self)
