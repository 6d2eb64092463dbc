"""Erasing a part of an organization, place by place: look, erase, look again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from chatsphere.privacy import end_users
from chatsphere.privacy.model import BOT, DOCUMENT, END_USER, KEPT_OUT, Part
from chatsphere.privacy.parts.bots import places_of_bot
from chatsphere.privacy.parts.deleted import Deleted
from chatsphere.privacy.parts.documents import places_of_document
from chatsphere.privacy.parts.end_users import places_of_end_user
from chatsphere.privacy.parts.holding import refuse_part_if_held
from chatsphere.privacy.parts.means import Means
from chatsphere.privacy.parts.stores import Place, Steps

PLACES: Final = {END_USER: places_of_end_user, DOCUMENT: places_of_document, BOT: places_of_bot}

Counts = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class PartEraser:
    """Erases parts of organizations, each with what its kind may be in."""

    means: Means

    def kept(self, part: Part) -> frozenset[str]:
        """Return in which places rows stay, without what was the part's."""
        return frozenset(place.name for place in self._places(part) if place.is_kept)

    def erase(self, part: Part, steps: Steps, found: Callable[[str, int], None]) -> None:
        """Leave nothing of the part anywhere. Doing it again changes nothing.

        `found` is told by place how much is there, before any of it is erased.

        Raises:
            LegalHoldError: something of it is held.
            NotNowError: the time is up, or somebody is at work who has to be waited for.
            UnavailableError: a store does not answer.
        """
        for place in self._places(part):
            if not isinstance(place, Deleted):
                found(place.name, place.count(part, steps))
            place.erase(part, steps)

    def look_again(self, part: Part, steps: Steps) -> dict[str, int]:
        """Return what is left, by place: zeros."""
        return {place.name: place.left(part, steps) for place in self._places(part)}

    def erase_late(self, part: Part, steps: Steps) -> dict[str, int]:
        """Erase what was written since, by who had begun before; return how much there was of it, by place."""
        late = {}
        for place in self._places(part):
            if found := place.left(part, steps):
                place.erase(part, steps)
                late[place.name] = found
        return late

    def removed_by_deletion(self, part: Part) -> dict[str, int]:
        """Return what the deletion of a document or bot removed, as its own receipt says."""
        deletions = [place for place in self._places(part) if isinstance(place, Deleted)]
        return deletions[0].removed(part) if deletions else {}

    def refuse_if_held(self, part: Part) -> None:
        """See `chatsphere.privacy.parts.holding`."""
        with self.means.database.transaction(part.organization_id) as connection:
            refuse_part_if_held(connection, part)

    def keep_out(self, part: Part, erasure_id: UUID, *, is_done: bool) -> None:
        """Have nothing written for an end user: until there is a receipt, and for a while after it."""
        if part.kind == END_USER:
            until = self.means.clock.now() + KEPT_OUT if is_done else None
            with self.means.database.transaction(part.organization_id) as connection:
                end_users.keep_out(connection, part, erasure_id, until)

    def let_in(self, part: Part, erasure_id: UUID) -> None:
        """Let things be written for the end user again."""
        with self.means.database.transaction(part.organization_id) as connection:
            end_users.let_in(connection, erasure_id)

    def _places(self, part: Part) -> Sequence[Place]:
        return PLACES[part.kind](self.means)
