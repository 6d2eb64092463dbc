"""What in a text names a person."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

PersonalDataKind = Literal["email", "phone", "iban", "credit_card", "ip", "national_id"]
"""What can be found by a rule. `national_id`: tax and social security numbers of people."""


@dataclass(frozen=True, slots=True)
class PersonalData:
    """Where in a text something personal stands, and of which kind it is."""

    start: int
    end: int
    kind: PersonalDataKind


class PersonalDataFinder(Protocol):
    """Finds in texts what names a person."""

    def find(self, text: str, kinds: Collection[PersonalDataKind]) -> Sequence[PersonalData]:
        """Return what is found of these kinds, in the order of the text; spans may overlap."""
        ...
