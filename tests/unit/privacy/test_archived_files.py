"""Going through more archived files than one try can read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from chatsphere.privacy.parts.archived_files import begin_anew, through
from chatsphere.queue_batches import NotNowError

FILES: Any = [SimpleNamespace(id=UUID(int=number), rows=number) for number in range(1, 6)]


@dataclass
class TwoSteps:
    """`Steps` of tries that end after two files."""

    kept: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    done: int = 0

    def go_on(self) -> None:
        if self.done == 2:
            self.done = 0
            raise NotNowError("the time is up")
        self.done += 1

    def bookmark(self, name: str) -> Mapping[str, Any]:
        return self.kept.get(name, {})

    def keep(self, name: str, content: Mapping[str, Any]) -> None:
        self.kept[name] = content


def behind(after: UUID | None) -> Iterator[Any]:
    return (file for file in FILES if after is None or file.id > after)


def test_each_try_goes_on_where_the_former_ended() -> None:
    steps, seen = TwoSteps(), list[int]()

    def use(file: Any) -> int:
        seen.append(file.rows)
        return int(file.rows)

    for _ in range(2):
        with pytest.raises(NotNowError):
            through(behind, steps, "read", use)
    assert through(behind, steps, "read", use) == 15
    assert seen == [1, 2, 3, 4, 5]
    # And it is not done again until it is to begin anew
    assert through(behind, steps, "read", use) == 15
    assert len(seen) == 5
    begin_anew(steps, "read")
    with pytest.raises(NotNowError):
        through(behind, steps, "read", use)
    assert seen[5:] == [1]
