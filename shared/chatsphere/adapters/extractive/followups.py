"""Making a follow-up stand alone: "and how much does it cost?" takes its subject from the question before."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from chatsphere.adapters.extractive.terms import is_content_word, stem, word_set, words
from chatsphere.ports import Turn

MAX_BORROWED_WORDS: Final = 12
"""What is taken over from earlier questions: enough for a subject, too little to drown the question."""

# Openings that continue an earlier question, in the languages that share our alphabet.
_OPENING: Final = re.compile(
    r"\s*(?:and|but|or|so|then|also|what about|how about|what if|why not|same for|what else|anything else|"
    r"und|aber|et|mais|y|pero|e|ma|en|maar|och|men)\b",
    re.IGNORECASE,
)
_CLAUSE_STARTS: Final = word_set("and or but if when while because since who which that where whether")
_PERSONAL: Final = word_set("it they them he him she")
_POSSESSIVE: Final = word_set("its their theirs his her hers")
_DEMONSTRATIVE: Final = word_set("this that these those there then former latter ones")
_EXPLETIVE: Final = re.compile(
    r"\bit\s+(?:is\s+|be\s+)?(?:possible|necessary|required|allowed|true|okay|ok|important|better|safe|legal|raining|"
    r"(?:take|cost|mean)\s+to\s+\w+\s+\w+)\b",
    re.IGNORECASE,
)
_TOKEN: Final = re.compile(r"[\w'’\-]+|[,;:]")


def standalone(question: str, history: Sequence[Turn]) -> str:
    """Return `question`, led by the subject of the questions before it if it leaves its own to them."""
    asked = [turn.content for turn in history if turn.role == "user"]
    if not asked or not needs_context(question):
        return question
    borrowed = _subject(asked)
    own = {stem(word.casefold()) for word in words(question)}
    missing = [word for word in borrowed if stem(word.casefold()) not in own]
    return f"{' '.join(missing)}: {question}" if missing else question


def needs_context(question: str) -> bool:
    """Return whether the question cannot be understood without what was said before."""
    content = [word for word in words(question) if is_content_word(word)]
    return len(content) < 2 or bool(_OPENING.match(question)) or _has_open_reference(question)


def _has_open_reference(question: str) -> bool:
    """Return whether a pronoun points out of the question.

    One that follows a noun phrase of an earlier clause ("if I lose my card, who replaces it?") does not.
    """
    in_clause, in_earlier_clauses = 0, 0
    for found in _TOKEN.findall(_EXPLETIVE.sub(" ", question)):
        word = found.casefold()
        seen = in_clause + in_earlier_clauses
        if word in _PERSONAL and not in_earlier_clauses:
            return True
        if word in (_POSSESSIVE | _DEMONSTRATIVE) and not seen:
            return True
        if word in _CLAUSE_STARTS or word in ",;:":
            in_clause, in_earlier_clauses = 0, seen
        elif is_content_word(word):
            in_clause += 1
    return False


def _subject(asked: Sequence[str]) -> list[str]:
    """Return content words of the last question, and of earlier ones as long as each in turn leans on them."""
    chain = [asked[-1]]
    for earlier in reversed(asked[:-1]):
        if not needs_context(chain[-1]):
            break
        chain.append(earlier)
    # The oldest question names the subject, so its words come first.
    return _distinct(word for text in reversed(chain) for word in words(text) if is_content_word(word))


def _distinct(candidates: Iterable[str]) -> list[str]:
    chosen: dict[str, str] = {}
    for word in candidates:
        chosen.setdefault(stem(word.casefold()), word)
    return list(chosen.values())[:MAX_BORROWED_WORDS]
