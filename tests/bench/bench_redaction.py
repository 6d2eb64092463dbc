"""How fast personal data is found, kind by kind: `python -m tests.bench.bench_redaction`.

The text is made: prose with one thing to find in about 400 characters, and a table of numbers, which has none.
"""

import sys
from collections.abc import Sequence
from random import Random
from time import perf_counter
from typing import Final, get_args

from chatsphere.ports.personal_data import PersonalDataFinder, PersonalDataKind

KINDS: Final[Sequence[PersonalDataKind]] = get_args(PersonalDataKind)
CHARS: Final = 200_000
ROUNDS: Final = 3
PERSONAL: Final = (
    "ada.lovelace@example.co.uk",
    "+49 30 901820",
    "020 8366 1177",
    "(650) 253-0000",
    "DE89 3704 0044 0532 0130 00",
    "4111 1111 1111 1111",
    "93.184.216.34",
    "536-90-4399",
)
SENTENCE: Final = "the notice period of a contract ends on the last day in 2026 unless both sides agree in writing"


def main() -> None:
    """Print characters a second for each kind, and for all at once."""
    began = perf_counter()
    from chatsphere.adapters.redaction import RuleFinder

    finder = RuleFinder()
    finder.find("+49 30 901820", KINDS)
    print(f"loaded in {1000 * (perf_counter() - began):.0f} ms, first number found; Python {sys.version.split()[0]}")
    texts = {"prose": _prose(Random(7)), "table of numbers": _table(Random(7))}
    print(f"{'kinds':<14}" + "".join(f"{name:>20}" for name in texts) + "   characters a second, best of 3")
    for label, kinds in [*((kind, [kind]) for kind in KINDS), ("all", KINDS)]:
        print(f"{label:<14}" + "".join(f"{_speed(finder, text, kinds):>20,.0f}" for text in texts.values()))
    found = finder.find(texts["prose"], KINDS)
    false = finder.find(texts["table of numbers"], KINDS)
    print(f"found: {len(found)} of {texts['prose'].count('«')} in prose; {len(false)} in the table, which holds none")


def _speed(finder: PersonalDataFinder, text: str, kinds: Sequence[PersonalDataKind]) -> float:
    times = []
    for _ in range(ROUNDS):
        began = perf_counter()
        finder.find(text, kinds)
        times.append(perf_counter() - began)
    return len(text) / min(times)


def _prose(random: Random) -> str:
    parts: list[str] = []
    while sum(map(len, parts)) < CHARS:
        parts.append(" ".join(random.choices(SENTENCE.split(" "), k=70)) + f" «{random.choice(PERSONAL)}».\n")
    return "".join(parts)


def _table(random: Random) -> str:
    rows: list[str] = []
    while sum(map(len, rows)) < CHARS:
        rows.append("\t".join(f"{random.uniform(0, 99_999):.2f}" for _ in range(10)) + "\n")
    return "".join(rows)


if __name__ == "__main__":
    main()
