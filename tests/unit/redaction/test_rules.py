"""What is found by rules, in the forms of several countries, and what is left alone."""

from collections.abc import Iterator
from typing import get_args

import pytest

from chatsphere.adapters.redaction import RuleFinder, phones
from chatsphere.knowledge.redaction.masking import MASK, masked
from chatsphere.ports.personal_data import PersonalDataKind

KINDS: tuple[PersonalDataKind, ...] = get_args(PersonalDataKind)
FINDER = RuleFinder(["US", "GB", "DE", "FR", "ES", "IT", "NL", "AT", "CH"])


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("email", "ada.lovelace+news@example.co.uk"),
        ("email", "müller@bücher.example"),
        ("email", "o'brien@mail.example.org"),
        ("email", "ada [at] example.com"),
        ("phone", "+49 30 901820"),
        ("phone", "030 901820"),
        ("phone", "030/90 18 20"),
        ("phone", "0171 3920054"),
        ("phone", "(650) 253-0000"),
        ("phone", "650-253-0000"),
        ("phone", "+1-650-253-0000"),
        ("phone", "020 8366 1177"),
        ("phone", "01 42 68 53 00"),
        ("phone", "0041 44 668 18 00"),
        ("phone", "+91 98765 43210"),
        ("phone", "+55 11 96123-4567"),
        ("iban", "DE89 3704 0044 0532 0130 00"),
        ("iban", "GB29NWBK60161331926819"),
        ("iban", "FR14 2004 1010 0505 0001 3M02 606"),
        ("iban", "CH93 0076 2011 6238 5295 7"),
        ("credit_card", "4111 1111 1111 1111"),
        ("credit_card", "5500-0000-0000-0004"),
        ("credit_card", "378282246310005"),
        ("ip", "93.184.216.34"),
        ("ip", "2606:2800:220:1:248:1893:25c8:1946"),
        ("national_id", "536-90-4399"),
        ("national_id", "2 95 10 99 126 111 93"),
        ("national_id", "54362315-K"),
        ("national_id", "X-2482300W"),
        ("national_id", "RCCMNL83S18D969H"),
        ("national_id", "756.9217.0769.85"),
        ("national_id", "390.533.447-05"),
        ("national_id", "880320-0016"),
        ("national_id", "85.07.30-033.28"),
        ("national_id", "131052-308T"),
        ("national_id", "36 574 261 809"),
        ("national_id", "AB 12 34 56 C"),
    ],
)
def test_personal_data_is_masked_in_its_place(kind: PersonalDataKind, given: str) -> None:
    before, after = "Tel.: " if "/" in given else "Of her: ", ", she says."
    text = f"{before}{given}{after}"
    assert masked(text, [kind], FINDER) == f"{before}{MASK * len(given)}{after}"
    assert masked(text, [], FINDER) == text


ORDINARY = """\
Version 10.2.0 (build 20251122) replaces version 9.8.7.6 and v1.2.3.4; see RFC 7231, section 6.5.1, TS 102 221 V17.1.0.
ISO 8601: 2026-11-22 12:30:45, or 22.11.2026 at 00:11. 2019-2024 it rose by 12.5 % to 1,299.00 EUR (1.299.000,50).
DIN 276-1:2008-12, ISBN 978-3-16-148410-0, ISSN 2049-3630, DOI 10.1000/182, patent EP 1 234 567 B1, order 100-200-3000.
The server listens on 192.168.10.12:8080, 127.0.0.1 and ::1; std::vector, a::b, MAC 00:1B:44:11:3A:B7, 0x7fff5694dc58.
UUID 01970000-0000-7000-8000-000000000001, SHA e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.
Measures: 0.75 mm x 120 mm, A4 is 210 x 297, 10 000 000 rows, 1732272000000 ms, 6.62607015e-34, pi 3.14159265358979.
Article 12 (3) of 2004/83/EC, case C-131/12, part number 4711-0815-2026, serial 1234567890, batch 12 34 56 78 90.
Use logo@2x.png, the decorator @property, git@github.com:psf/requests.git, a@b, 5@10 EUR, and pip install x==1.2.3.
Timestamps 1732272000 and 1732272000123456; ids 1234567812345678, 20251122-0001; coordinates 52.520008, 13.404954.
"""


def test_ordinary_text_is_left_alone() -> None:
    found = [(each.kind, ORDINARY[each.start : each.end]) for each in FINDER.find(ORDINARY, KINDS)]
    assert found == []


@pytest.mark.parametrize(
    "wrong", ["DE89 3704 0044 0532 0130 01", "4111 1111 1111 1112", "666-45-6789", "54362315-L", "756.9217.0769.84"]
)
def test_a_wrong_check_digit_is_no_number(wrong: str) -> None:
    assert FINDER.find(f"It is {wrong}.", ["iban", "credit_card", "national_id"]) == []


def test_what_follows_in_capitals_is_no_part_of_an_account() -> None:
    text = "DE89 3704 0044 0532 0130 00 BIC COBADEFF"
    assert masked(text, ["iban"], FINDER) == f"{MASK * 27} BIC COBADEFF"


def test_spans_that_overlap_and_lines_that_break_keep_every_offset() -> None:
    text = "Write to ada@example.com or\n+49 30\n901820 (DE89 3704 0044 0532 0130 00), ada@example.com."
    once = masked(text, KINDS, FINDER)
    assert len(once) == len(text)
    assert [place for place, each in enumerate(once) if each == "\n"] == [
        place for place, each in enumerate(text) if each == "\n"
    ]
    assert "ada" not in once
    assert masked(once, KINDS, FINDER) == once


@pytest.mark.parametrize("hostile", ["1 " * 20_000, "a" * 50_000 + "@", "+" * 50_000, "12-" * 15_000, "A1" * 20_000])
def test_long_runs_of_what_might_be_something_are_nothing(hostile: str) -> None:
    assert FINDER.find(hostile, KINDS) == []


@pytest.mark.parametrize("hostile", ["030/12", "030 12345 ", "0301234567 ", "(030) 12.34"])
def test_of_many_that_might_be_phones_few_are_looked_at_and_all_further_ones_masked(
    hostile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, look = 0, phones._matches

    def counted(around: str, region: str | None) -> Iterator[tuple[int, int]]:
        nonlocal looks
        looks += 1
        return look(around, region)

    monkeypatch.setattr(phones, "_matches", counted)
    text = (hostile * 1_400)[:8_000] + ", she says: 030 901820."

    hidden = masked(text, ["phone"], FINDER)

    assert looks <= (16 + 8_000 // 1_000) * 10
    assert hidden.endswith(f", she says: {MASK * 10}.")
