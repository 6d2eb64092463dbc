"""What two versions of a bot have not in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

NESTED = "configuration"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that differs; a setting of the configuration is named `configuration.top_k`.

    `added`: it was not set before; `removed`: it is not set any more. What is not set is None here.
    """

    field: str
    change: Literal["added", "changed", "removed"]
    before: Any
    after: Any


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Sequence[FieldChange]:
    """Return how to come from one version's content to another's, in the order of the fields' names."""
    old, new = _flat(before), _flat(after)
    return [
        FieldChange(field, _kind(field, old, new), old.get(field), new.get(field))
        for field in sorted(old.keys() | new.keys())
        if field not in old or field not in new or old[field] != new[field]
    ]


def _kind(field: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Literal["added", "changed", "removed"]:
    if field not in old:
        return "added"
    return "changed" if field in new else "removed"


def _flat(content: Mapping[str, Any]) -> dict[str, Any]:
    settings = {f"{NESTED}.{name}": value for name, value in content.get(NESTED, {}).items()}
    return {name: value for name, value in content.items() if name != NESTED} | settings
