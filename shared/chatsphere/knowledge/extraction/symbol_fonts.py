"""Characters of fonts that draw symbols in the places of other characters: `µ` is Symbol's `m`."""

_PRIVATE = range(0xF000, 0xF100)
_SYMBOL_FONT = "symbol"
_SYMBOL = {
    **dict(zip(range(0x41, 0x5B), "ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ", strict=True)),
    **dict(zip(range(0x61, 0x7B), "αβχδεφγηιϕκλµνοπθρστυϖωξψζ", strict=True)),
    **dict(zip(range(0xA2, 0xBC), "′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈", strict=True)),
    **dict(zip(range(0xC6, 0xD2), "∅∩∪⊃⊇⊄⊂⊆∈∉∠∇", strict=True)),
    **dict(zip(range(0xD5, 0xE0), "∏√⋅¬∧∨⇔⇐⇑⇒⇓", strict=True)),
    0x22: "∀",
    0x24: "∃",
    0x27: "∋",
    0x2D: "−",
    0x40: "≅",
    0x5E: "⊥",
    0x7E: "∼",
    0xE5: "∑",
    0xF2: "∫",
}


def symbol(font: str, code: int) -> str:
    """The character that a font draws for a code; empty for a picture, such as those of Wingdings."""
    if code not in _PRIVATE and code >= 0x20:
        return chr(code) if not 0xD800 <= code < 0xF900 else ""
    if font.strip().lower() != _SYMBOL_FONT:
        return ""
    place = code & 0xFF
    return _SYMBOL.get(place, chr(place) if 0x20 <= place < 0x7F else "")
