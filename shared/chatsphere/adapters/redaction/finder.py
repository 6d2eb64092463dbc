"""Personal data by rules: what has a form, a check digit or a numbering plan. Names and addresses have none."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Final

from chatsphere.adapters.redaction.addresses import emails, ip_addresses
from chatsphere.adapters.redaction.numbers import credit_cards, ibans, national_ids
from chatsphere.adapters.redaction.phones import phones
from chatsphere.ports.personal_data import PersonalData, PersonalDataKind

REGIONS: Final = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "AT", "CH")
"""Each further one takes time, and makes more of other numbers look like phones'."""

Spans = Iterator[tuple[int, int]]
_RULES: Final[Mapping[PersonalDataKind, Callable[[str], Spans]]] = {
    "email": emails,
    "iban": ibans,
    "credit_card": credit_cards,
    "national_id": national_ids,
    "ip": ip_addresses,
}


class RuleFinder:
    """Finds what each kind's rule says; threads may share it.

    `regions`: the countries (ISO 3166-1) whose phone numbers are known without their country code.
    """

    def __init__(self, regions: Sequence[str] = REGIONS) -> None:
        self._regions = tuple(regions)

    def find(self, text: str, kinds: Collection[PersonalDataKind]) -> Sequence[PersonalData]:
        """See `PersonalDataFinder.find`."""
        found = [PersonalData(*span, kind) for kind in kinds for span in self._spans(text, kind)]
        return sorted(found, key=lambda each: (each.start, -each.end))

    def _spans(self, text: str, kind: PersonalDataKind) -> Spans:
        return phones(text, self._regions) if kind == "phone" else _RULES[kind](text)
