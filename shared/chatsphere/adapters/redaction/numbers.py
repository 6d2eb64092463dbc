"""Numbers with check digits: accounts, cards, and the ids that states give people."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from stdnum import iban, luhn
from stdnum.be import nn
from stdnum.br import cpf
from stdnum.ch import ssn as ahv
from stdnum.de import idnr
from stdnum.es import dni, nie
from stdnum.fi import hetu
from stdnum.fr import nir
from stdnum.it import codicefiscale
from stdnum.mx import curp
from stdnum.se import personnummer
from stdnum.us import ssn

_IBAN: Final = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ \u00a0-]?[A-Z0-9]){11,30}(?![a-z0-9])")
_CARD: Final = re.compile(r"(?<![\w.,-])\d(?:[ \u00a0-]?\d){12,18}(?![\w-]|[.,]\d)")
# Lengths and first digits (ISO/IEC 7812) of the issuers' cards: one in ten numbers has the right check digit.
_ISSUED: Final = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2(?:2[2-9]|[3-6]\d|7[01])\d{13}|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}"
    r"|35\d{14}|6\d{15,18}"
)


def _form(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.,/-])(?:{pattern})(?![\w-]|[.,/]\d)")


# Written as they are written: without its dots or dashes many a number would pass.
_IDS: Final[Sequence[tuple[re.Pattern[str], Callable[[str], bool]]]] = (
    (_form(r"\d{3}-\d{2}-\d{4}"), ssn.is_valid),
    (_form(r"[12378] ?\d{2} ?\d{2} ?[\dAB]{2} ?\d{3} ?\d{3} ?\d{2}"), nir.is_valid),
    (_form(r"\d{8}[ -]?[A-Z]"), dni.is_valid),
    (_form(r"[XYZ][ -]?\d{7}[ -]?[A-Z]"), nie.is_valid),
    (_form(r"[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]"), codicefiscale.is_valid),
    (_form(r"[A-Z]{4}\d{6}[HMX][A-Z]{5}[A-Z\d]\d"), curp.is_valid),
    (_form(r"756\.\d{4}\.\d{4}\.\d{2}"), ahv.is_valid),
    (_form(r"\d{3}\.\d{3}\.\d{3}-\d{2}"), cpf.is_valid),
    (_form(r"(?:\d{2})?\d{6}[-+]\d{4}"), personnummer.is_valid),
    (_form(r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}"), nn.is_valid),
    (_form(r"\d{6}[-+A-FU-Y]\d{3}[\dA-Y]"), hetu.is_valid),
    (_form(r"\d{2} \d{3} \d{3} \d{3}"), idnr.is_valid),
    # The United Kingdom's has no check digit: prefix and suffix are those that are given out.
    (_form(r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]"), bool),
)


def ibans(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of account numbers; what follows one in capitals is none of it."""
    for found in _IBAN.finditer(text):
        end = found.end()
        while end > found.start():
            if iban.is_valid(text[found.start() : end].replace("\u00a0", "")):
                yield found.start(), end
                break
            end = max(text.rfind(mark, found.start(), end) for mark in " \u00a0-")


def credit_cards(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of card numbers."""
    for found in _CARD.finditer(text):
        digits = re.sub(r"\D", "", found[0])
        if _ISSUED.fullmatch(digits) and luhn.is_valid(digits):
            yield found.span()


def national_ids(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of tax and social security numbers of people."""
    for pattern, is_valid in _IDS:
        for found in pattern.finditer(text):
            if is_valid(found[0]):
                yield found.span()
