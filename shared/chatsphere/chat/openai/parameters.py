"""Parameters that ask for what is not done here: refused by name, so that nobody waits for it in vain."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from chatsphere.chat.openai.errors import RefusedParameterError
from chatsphere.chat.openai.schemas import ChatCompletionRequest, CreateResponseRequest, ResponseInput

PLAIN: Final = {"type": "text"}
NOTHING: Final[tuple[Any, ...]] = (None, [], {}, False, 0)


def _nothing(value: Any) -> bool:
    return value in NOTHING


def _plain_format(value: Any) -> bool:
    return value in (None, PLAIN)


def _plain_text(value: Any) -> bool:
    # `verbosity`, which may stand beside the format, changes nothing here.
    return value is None or (isinstance(value, dict) and value.get("format") in (None, PLAIN))


HARMLESS: Final[dict[str, Callable[[Any], bool]]] = {
    "tools": _nothing,
    "tool_choice": lambda value: value in (None, "none", "auto"),
    "functions": _nothing,
    "function_call": lambda value: value in (None, "none", "auto"),
    "response_format": _plain_format,
    "logprobs": _nothing,
    "top_logprobs": _nothing,
    "modalities": lambda value: value in (None, ["text"]),
    "audio": _nothing,
    "moderation": _nothing,
    "web_search_options": _nothing,
    "text": _plain_text,
    "background": _nothing,
    "prompt": _nothing,
    "conversation": _nothing,
}
"""By parameter: whether a value asks for nothing that is not done here."""

VALUES: Final = frozenset({"response_format", "text", "modalities", "tool_choice", "function_call"})
"""Those of which some values are fine."""


def check_parameters(body: ChatCompletionRequest | CreateResponseRequest) -> None:
    """Raise at the first parameter that asks for what is not done here.

    Raises:
        RefusedParameterError: it names the parameter.
    """
    for name, harmless in HARMLESS.items():
        if not harmless(getattr(body, name, None)):
            code = "unsupported_value" if name in VALUES else "unsupported_parameter"
            raise RefusedParameterError(f"body/{name}", code, f"'{name}' asks for something that bots do not do.")
    if isinstance(body, ChatCompletionRequest):
        _check_messages(body)
    elif not isinstance(body.input, str):
        _check_items(body.input)


def _check_messages(body: ChatCompletionRequest) -> None:
    for place, message in enumerate(body.messages):
        if message.role in ("tool", "function"):
            raise _refused(f"body/messages/{place}/role", f"Messages of the role '{message.role}' are not read.")
        if message.tool_calls or message.function_call:
            raise _refused(f"body/messages/{place}/tool_calls", "Calls of tools are not read: bots call none.")
    if isinstance(body.stop, list) and not all(body.stop):
        raise RefusedParameterError("body/stop", "invalid_value", "A stop sequence must not be empty.")


def _check_items(items: Sequence[ResponseInput]) -> None:
    for place, item in enumerate(items):
        if item.type != "message":
            detail = f"Items of type '{item.type[:40]}' are not read: only messages are."
            raise _refused(f"body/input/{place}/type", detail)
        if item.role is None:
            raise RefusedParameterError(f"body/input/{place}/role", "missing", "A message needs a `role`.")


def _refused(param: str, detail: str) -> RefusedParameterError:
    return RefusedParameterError(param, "unsupported_value", detail)
