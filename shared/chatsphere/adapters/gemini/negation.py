"""Whether a quote says the opposite of a statement, as far as small words tell."""

import re
from typing import Final

from chatsphere.adapters.extractive.terms import language_of, terms

# What denies: not, no, never, without … in the languages that the stop words know.
_DENIES: Final = re.compile(
    r"\b(?:not|no|nor|never|none|nobody|nothing|neither|without|cannot|\w+n['’]t|"
    r"nicht|nichts|kein\w{0,2}|nie|niemals|niemand|weder|ohne|"
    r"ne|n['’](?=\w)|pas|jamais|aucune?|rien|personne ne|sans|ni|"
    r"nunca|jamás|ning[uú]n\w{0,2}|nada|nadie|sin|tampoco|non|nessun\w?|niente|senza|não|nenhum\w?|sem|"
    r"niet|geen|nooit|niets|niemand|zonder|"
    r"нет|не|ни|никогда|без)\b|[不没沒無无未非]|ない|ません|않|없",
    re.IGNORECASE,
)
# What says the same in other words, so that a statement may deny where the quote does not.
_AVERSE: Final = re.compile(
    r"\b(?:un(?!it|i[dfotv]|der|til|less|ique|cle)\w{3,}|in(?:capable|valid|eligible|sufficient|complete|accessible|active)\w*|im(?:possible|permissible)\w*|"
    r"dis(?:allow|continu|abl)\w*|exclu\w+|except\w*|prohibit\w*|forbid\w*|forbidden|refus\w+|den(?:y|ies|ied)|lack\w*|fail\w*|"
    r"only|closed|free|absent|missing|instead|rather|few|little|hardly|barely|rarely|seldom|void|expir\w*|end(?:s|ed)?|"
    r"nur|geschlossen|frei|verboten|untersagt|ausgeschlossen|fehl\w+|seul\w*|seulement|que|interdit\w*|ferm\w+|exclu\w*|"
    r"solo|sólo|solamente|prohibid\w+|cerrad\w+|gratis|libre|soltanto|vietat\w+|chius\w+|apenas|proibid\w+|fechad\w+|alleen|"
    r"verboden|gesloten|zero|0)\b",
    re.IGNORECASE,
)
_CLAUSE_END: Final = re.compile(
    r"[.!?;:](?=\s|$)|[、，。！？；]|,(?=\s(?:not|nicht|pas|no|non|não|niet)\s)|\s(?:but|and|however|although|though|while|aber|und|doch|jedoch|sondern|mais|et|pero|sino|y|ma|mas|maar|en)\s",
    re.IGNORECASE,
)


def contradicts(statement: str, quote: str, wanted: frozenset[str]) -> bool:
    """Return whether the statement denies what the quote does not deny, or affirms what it denies.

    `wanted`: the statement's terms. In the quote, the clause that shares most of them decides.
    """
    if _DENIES.search(statement):
        return not (_DENIES.search(quote) or _AVERSE.search(quote))
    if _AVERSE.search(statement) or not _DENIES.search(quote):
        return False
    language = language_of(quote)
    clauses = [clause for clause in _CLAUSE_END.split(quote) if clause and clause.strip()]
    shares = [len(wanted & terms(clause, language)) for clause in clauses]
    nearest = max(shares, default=0)
    return all(
        bool(_DENIES.search(clause))
        for clause, share in zip(clauses, shares, strict=True)
        if nearest and share == nearest
    )
