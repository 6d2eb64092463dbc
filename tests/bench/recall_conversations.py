"""Long conversations with a shop's assistant: what somebody owns is named in the beginning and never again."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from typing import Final

KINDS: Final = {
    "coffee maker": ("Aurora X200", "Morena 5", "Barista Pro"),
    "dishwasher": ("Nereid 60", "Splash G4", "Quiet Wave"),
    "vacuum cleaner": ("Cyclo 900", "Dusty R2", "Zephyr Max"),
    "washing machine": ("Tambour 8", "Laguna W3", "Fresh Spin"),
    "printer": ("Inkwell 33", "Papyrus L1", "Scribe Jet"),
    "router": ("Beacon AX5", "Meshlink 2", "Signal Fort"),
    "lawn mower": ("Meadow 40", "Clipper E7", "Green Stride"),
    "air conditioner": ("Boreas 12", "Frost C9", "Alpine Breeze"),
}
"""Three models of each kind."""

TOPICS: Final = {
    "cleaning": "To clean the {name} {kind}, take out the filter and rinse it with warm water for {n} minutes.",
    "warranty": "The warranty of the {name} {kind} is valid for {n} months from the day of purchase.",
    "light": "If the red light of the {name} {kind} blinks, unplug it and wait {n} minutes before you switch it on.",
    "noise": "Under full load the {name} {kind} makes a noise of {n} decibels, measured at a distance of one metre.",
    "parts": "Spare parts of the {name} {kind} are delivered within {n} working days and can be ordered by telephone.",
}

QUESTIONS: Final = {
    "cleaning": "How do I clean the filter of my {kind}?",
    "warranty": "How long is the warranty of my {kind} valid?",
    "light": "The red light of my {kind} blinks, what shall I do?",
    "noise": "How loud is my {kind} under full load?",
    "parts": "How fast do I get spare parts for my {kind}?",
}

SHOP: Final = {
    "When do you open on Sundays?": "The shop is open on Sundays from eleven to five.",
    "Can I pay in instalments?": "Payment in up to twelve instalments is possible above two hundred euros.",
    "Where do I park?": "Customers park free of charge in the yard behind the shop for two hours.",
    "How do I return something?": "Goods are returned within thirty days, unused and with the receipt.",
    "Do you sell gift cards?": "Gift cards are sold at the counter and are valid for three years.",
    "Is there a loyalty programme?": "Members of the loyalty programme collect one point for each euro.",
    "Do you buy old devices?": "Old devices are taken back free of charge when a new one is bought.",
    "Who repairs devices on site?": "A technician repairs devices at home from Tuesday to Friday.",
    "Can I become an apprentice here?": "Two apprentices are taken on each September; write to the personnel office.",
}

OPENINGS: Final = (
    "I have just bought the {name} {kind}. Do you deliver on Saturdays?",
    "Hello, I own a {kind}, the {name}. Is a second service visit free?",
    "My {kind} is the {name}. May I register it without the receipt?",
    "We got the {name} {kind} as a present. Can the colour be changed?",
)


@dataclass(frozen=True)
class Case:
    """A conversation's first words, and a question at its end with the one passage that answers it."""

    opening: str
    question: str
    answer: str


def passages() -> dict[str, list[str]]:
    """Return each document's passages, by its name."""
    found: dict[str, list[str]] = {"shop.txt": list(SHOP.values())}
    for kind, names in KINDS.items():
        for name in names:
            found[f"{name}.txt"] = [passage(name, kind, topic) for topic in TOPICS]
    return found


def passage(name: str, kind: str, topic: str) -> str:
    """Return what the manual says."""
    return TOPICS[topic].format(name=name, kind=kind, n=2 + sum(map(ord, name + topic)) % 47)


def named_long_ago() -> Iterator[Case]:
    """Yield questions about a device that only the conversation's beginning names."""
    topics, openings = cycle(TOPICS), cycle(OPENINGS)
    for kind, names in KINDS.items():
        for name in names:
            for _ in range(2):
                topic = next(topics)
                opening = next(openings).format(name=name, kind=kind)
                yield Case(opening, QUESTIONS[topic].format(kind=kind), passage(name, kind, topic))


def complete_questions() -> Iterator[Case]:
    """Yield questions that name another model than the conversation's beginning does."""
    for case, (kind, name) in zip(named_long_ago(), _others(), strict=False):
        topic = next(topic for topic, asked in QUESTIONS.items() if asked.format(kind=kind) == case.question)
        asked = case.question.replace(f"my {kind}", f"the {name} {kind}")
        yield Case(case.opening, asked, passage(name, kind, topic))


def _others() -> Iterator[tuple[str, str]]:
    for kind, names in KINDS.items():
        for place in range(len(names)):
            for _ in range(2):
                yield kind, names[(place + 1) % len(names)]


def unrelated_questions() -> Iterator[Case]:
    """Yield questions that have nothing to do with what the conversation began with."""
    for case, (question, answer) in zip(named_long_ago(), cycle(SHOP.items()), strict=False):
        yield Case(case.opening, question, answer)
