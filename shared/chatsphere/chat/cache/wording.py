"""When two questions are the same question: only where no reader could take one for something else.

Everything that may matter is left as it is: case inside a sentence (`US`, `us`), digits, signs, accents, the order and
the choice of words. Nearness of vectors decides nothing: for an embedder "enable" and "disable" are next to each other.
"""

import re
import unicodedata
from typing import Final

_APOSTROPHES: Final = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"'})
_SPACES: Final = re.compile(r"\s+")
_OPENING: Final = re.compile(r"(?:hi|hello|hey|hallo|bonjour|hola|please|bitte)(?: there)? ?[,!] ?", re.IGNORECASE)
_CLOSING: Final = re.compile(r", ?(?:please|thanks|thank you|bitte|danke|merci|gracias)$", re.IGNORECASE)
_MARKS: Final = "?.…。？؟ "


def same_wording(question: str) -> str:
    """Return one text for all ways to write the same question: of white space, marks at the end, courtesies."""
    text = unicodedata.normalize("NFC", question).translate(_APOSTROPHES).strip()
    # Of code or a table, white space may be what is asked about.
    if "\n" not in text:
        text = _SPACES.sub(" ", text)
    text = _without_marks(text)
    text = _CLOSING.sub("", text, count=1)
    text = _OPENING.sub("", text, count=1) if _OPENING.match(text) else text
    return _begun_small(_without_marks(text))


def _without_marks(text: str) -> str:
    """Return the text without the marks that end a sentence; those of an abbreviation, or of a sign, stay."""
    bare = text.rstrip(_MARKS)
    # "U.S." and "v1.2." end like a sentence; "C++?" and "5!" do not, and what stands before is no word.
    return bare if bare and (bare[-1].isalnum() or bare[-1] in "\"')]}") else text.rstrip()


def _begun_small(text: str) -> str:
    """Return the text with the capital of its beginning small; a word of capitals is a name and stays."""
    first = text[:2]
    return text[:1].lower() + text[1:] if len(first) < 2 or not first[1].isupper() else text
