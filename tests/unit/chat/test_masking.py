"""What people say, masked turn by turn though it is looked through at once."""

from collections.abc import Collection, Sequence

from chatsphere.adapters.redaction import RuleFinder
from chatsphere.chat.masking import turns_masked
from chatsphere.knowledge.redaction.masking import MASK, masking
from chatsphere.ports.answers import Turn
from chatsphere.ports.personal_data import PersonalData, PersonalDataKind


class CountingFinder(RuleFinder):
    """Counts the texts that it is given."""

    texts = 0

    def find(self, text: str, kinds: Collection[PersonalDataKind]) -> Sequence[PersonalData]:
        """See `PersonalDataFinder.find`."""
        self.texts += 1
        return super().find(text, kinds)


def test_each_turn_keeps_its_own_and_all_are_looked_through_at_once() -> None:
    finder = CountingFinder()
    said = [
        Turn("user", "Tel. +49 30 901820\n"),
        Turn("assistant", ""),
        Turn("user", "I am at +49 30"),
        Turn("assistant", "901820, ada@example.com", recalled=True),
    ]

    heard = turns_masked(said, masking(["phone", "email"], lambda: finder))

    assert heard == [
        Turn("user", f"Tel. {MASK * 13}\n"),
        Turn("assistant", ""),
        Turn("user", "I am at +49 30"),
        Turn("assistant", f"901820, {MASK * 15}", recalled=True),
    ]
    assert finder.texts == 1
    assert turns_masked([], masking(["phone"], lambda: finder)) == []
