"""Which legacy character set a text is in, where no mark and no declaration says so.

Every candidate that decodes the sample is scored by how many of its non-ASCII letters belong to the alphabet
of one language that is written in it; the best score wins, the more frequent character set on a tie.
charset-normalizer answers cp1250, cp775 or mac_latin2 for short German and French texts (ADR 0010).
"""

import re
from collections.abc import Iterator

# Of each language the letters beyond ASCII, the most frequent first.
_WESTERN = (
    "éèàùâêîôûçëïüœæ",  # French
    "üäöß",
    "áéíóñú¿¡üºª",  # Spanish
    "ãçáéíóêâõúàôüºª",  # Portuguese
    "àèéìòùíóúº",  # Italian
    "åäöøæéàáðþýíóúâêô",  # Nordic
    "éëïöüáíóúèê",  # Dutch
)
_CENTRAL = (
    "ąęłóżśćńź",
    "áíéěřčžýůšúťďňóľĺŕôä",
    "áéöíőóüúű",
    "ăîșțâşţ",
    "čćđšž",
)
_ARABIC = "اليمنورتبعدهةكسفقحجأشصطخىذءضئزإآغثظؤپچژگ،؛؟"
_RUSSIAN = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъёіїєґ"
# (codec, alphabets, how often the set is met compared with the others)
_LATIN: tuple[tuple[str, tuple[str, ...], float], ...] = (
    ("cp1252", _WESTERN, 1.0),
    ("cp1250", _CENTRAL, 1.0),
    ("cp1254", ("ışüğçöİâîû",), 1.0),
    ("cp1257", ("āšīēņļūģžķč", "šėųžąįūęč", "äõüöšž"), 1.0),
    ("iso8859_2", _CENTRAL, 0.98),
    ("mac_roman", _WESTERN, 0.96),
    ("cp850", _WESTERN, 0.94),
)
_OTHER_SCRIPTS = (
    ("cp1251", _RUSSIAN),
    ("cp1253", "αοιετνσςρπκμλυηάόίέήωύδγχθφβξζψώϊϋΐΰ"),
    ("cp1255", "יוהלאמרבתשעםןכקדנפטחגצזסךףץ"),
    ("cp1256", _ARABIC),
    ("cp874", "านรอกเงีมย" + "".join(map(chr, range(0x0E01, 0x0E5C)))),
    ("koi8_u", _RUSSIAN),
    ("cp866", _RUSSIAN),
    ("iso8859_5", _RUSSIAN),
    ("mac_cyrillic", _RUSSIAN),
    ("iso8859_6", _ARABIC),
)
# How the common characters of a multibyte set look in its national standard: (codec, codec of the standard,
# rows of kana, rows of the common characters). Korean precedes Chinese: its rows are a part of the other's.
_MULTIBYTE = (
    ("cp932", "euc_jp", (0xA4, 0xA5), (0xB0, 0xCF)),
    ("euc_jp", "euc_jp", (0xA4, 0xA5), (0xB0, 0xCF)),
    ("cp949", "euc_kr", None, (0xB0, 0xC8)),
    ("gb18030", "gb2312", None, (0xB0, 0xD7)),
    ("big5", "big5", None, (0xA4, 0xC6)),
)
_MARKS = frozenset(" ‘’“”„‚–—…•€£§©®°«»·±×¼½¾²³µ´¨№")
_HIGH = re.compile(r"[^\x00-\x7f]")
# Of these marks one that touches a letter is a letter of another set: ISO-8859-2's ą is cp1250's ±.
_STUCK = re.compile(r"(?<=[^\W\d_])[±¼½¾£¶]|[±¼½¾£¶](?=[^\W\d_])")
_HIGH_BESIDE_ASCII = re.compile(r"(?<=[A-Za-z])[^\W\x00-\x7f]|[^\W\x00-\x7f](?=[A-Za-z])")
_HIGH_BESIDE_HIGH = re.compile(r"(?<=[^\W\x00-\x7f])[^\W\x00-\x7f]|[^\W\x00-\x7f](?=[^\W\x00-\x7f])")
_SAMPLE_CHARS = 20_000
_FREQUENT = 10
_MIXED_LANGUAGES = 0.9
"""A text in several languages of one set fits no single alphabet; it fits all of them together, worth less."""


def is_common(char: str) -> bool:
    """Whether a character is one of a living script's common ones; of the unified ideographs a national standard's."""
    if char in _MARKS or char <= "\u17ff" or "\u1e00" <= char <= "\u20ff" or "\uac00" <= char <= "\ud7a3":
        return char.isprintable() or char in "\t\n\r\f\ufeff"
    emoji = "\U0001f000" <= char <= "\U0002ffff" and char.isprintable()
    return emoji or any(_encodes(char, standard) for standard in ("gb2312", "euc_jp", "big5"))


def _encodes(char: str, codec: str) -> bool:
    try:
        char.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


def guess_charset(sample: bytes) -> str:
    """Return the likeliest codec of a text that is not Unicode; cp1252 where nothing fits better."""
    scores = [*_latin_scores(sample), *_multibyte_scores(sample), *_script_scores(sample)]
    score, _, codec = max(((score, -rank, codec) for rank, (codec, score) in enumerate(scores)), default=(0, 0, ""))
    return codec if score > 0.5 else "cp1252"


def _latin_scores(sample: bytes) -> Iterator[tuple[str, float]]:
    for codec, alphabets, rarity in _LATIN:
        text = sample.decode(codec, errors="replace")
        letters = [char.lower() for char in _high(text) if char not in _MARKS]
        letters += _STUCK.findall(text)
        if not letters:
            yield codec, 0.9  # typographic marks only
            continue
        single = max(_fit(letters, alphabet) for alphabet in alphabets)
        together = _fit(letters, "".join(alphabets)) * _MIXED_LANGUAGES
        # A letter with a mark stands among plain ones in every Latin language.
        crowded = len(_HIGH_BESIDE_HIGH.findall(text)) / len(letters)
        broken = sum(char < "\xa0" or char == "\ufffd" for char in letters) / len(letters)
        yield codec, max(single, together) * (1 - min(max(0.0, crowded - 0.5) + broken, 1)) * rarity


def _script_scores(sample: bytes) -> Iterator[tuple[str, float]]:
    for codec, alphabet in _OTHER_SCRIPTS:
        text = sample.decode(codec, errors="replace")
        letters = [char for char in _high(text) if char not in _MARKS]
        if not letters:
            continue
        small = [char.lower() for char in letters]
        # KOI8 and cp1251 swap the case: words that begin small and go on in capitals are of the other one.
        capitals = sum(char != low for char, low in zip(letters, small, strict=True)) / len(letters)
        mixed = min(len(_HIGH_BESIDE_ASCII.findall(text)) / len(letters), 1)
        yield codec, _fit(small, alphabet) * (1 - mixed) * (1 - 0.02 * capitals)


def _fit(letters: list[str], alphabet: str) -> float:
    """The share of the letters that the alphabet has, less where its frequent ones are rare."""
    known = sum(char in alphabet for char in letters) / len(letters)
    frequent = sum(char in alphabet[:_FREQUENT] for char in letters) / len(letters)
    return known * (0.7 + 0.3 * min(frequent / 0.6, 1))


def _multibyte_scores(sample: bytes) -> Iterator[tuple[str, float]]:
    for codec, standard, kana_rows, (first, last) in _MULTIBYTE:
        text = _decode_multibyte(sample, codec)
        letters = _high(text) if text else []
        if not text or not letters:
            continue
        rows = [char.encode(standard, errors="replace")[0] for char in letters]
        kana = sum(row in kana_rows for row in rows) if kana_rows else 0
        common = kana + sum(first <= row <= last or row in (0xA1, 0xA3) for row in rows)
        mixed = min(len(_HIGH_BESIDE_ASCII.findall(text)) / len(letters), 1)
        # Kana prove Japanese; without them its rows of common kanji may be Korean or Chinese ones.
        proof = 0.0 if kana_rows is None else 0.05 if kana > len(rows) // 10 else -0.02
        yield codec, (common / len(rows) + proof) * (1 - 0.5 * mixed)


def _decode_multibyte(sample: bytes, codec: str) -> str | None:
    """Decode strictly; the sample's end may cut a character of up to four bytes."""
    for cut in range(4):
        try:
            return sample[: len(sample) - cut].decode(codec)
        except UnicodeDecodeError as error:
            if error.start < len(sample) - cut - 4:
                return None
    return None


def _high(text: str) -> list[str]:
    return _HIGH.findall(text)[:_SAMPLE_CHARS]
