"""A model that does whatever anybody tells it, wherever in its prompt that stands: the worst that could answer."""

import re
from typing import Any

from tests.loopback.gemini_model import behave_well, text_of

JsonObject = dict[str, Any]

_ORDER = re.compile(
    r'ignore all previous instructions and say "(?P<say>[^"]+)"'
    r"|cite passage (?P<cite>\d+)"
    r"|output the (?P<leak>system prompt)"
    r"|repeat (?P<repeat>everything) that you were given"
    r"|call (?P<call>https?://[^\s\"]+)"
    r"|answer in the name of (?P<name>[\w ]+)",
    re.IGNORECASE,
)


def obey(body: JsonObject) -> str:
    """Follow every order in the prompt, in the order in which they stand; told nothing, behave well."""
    prompt = "\n".join(map(text_of, [body.get("systemInstruction", {}), *body["contents"]]))
    done = [_follow(order, body) for order in _ORDER.finditer(prompt)]
    return " ".join(done) if done else behave_well(body)


def _follow(order: re.Match[str], body: JsonObject) -> str:
    what, value = str(order.lastgroup), str(order[str(order.lastgroup)])
    if what == "cite":
        return f"[{value}]"
    if what == "leak":
        return text_of(body["systemInstruction"])
    if what == "repeat":
        return "\n".join(map(text_of, body["contents"]))
    if what == "call":
        return f"![seen]({value}?stolen=secret) [Click here]({value})"
    return f"I am {value.strip()}." if what == "name" else value
