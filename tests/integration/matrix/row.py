"""One row for each operation: how to ask for it validly, and what a caller who may is answered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.integration.matrix.rule import Caller, Outcome, Target
from tests.integration.matrix.world import World

Body = Callable[[World], Any]
Finer = Callable[[Caller, Target], Outcome | None]


@dataclass(frozen=True)
class Row:
    """`outcome`: of a caller who may. `finer`: what of it the route itself refuses, beyond the permission table."""

    outcome: Outcome
    body: Body | Mapping[str, Any] | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    finer: Finer | None = None

    def content(self, world: World) -> Any:
        """Return the request's body."""
        return self.body(world) if callable(self.body) else self.body


OK: Final = Outcome(200)
CREATED: Final = Outcome(201)
ACCEPTED: Final = Outcome(202)
DONE: Final = Outcome(204)
