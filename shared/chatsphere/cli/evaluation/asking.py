"""Questions of a set put to a bot's chat, and what it said."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from chatsphere.cli.client import Client
from chatsphere.cli.evaluation.dataset import Question

CONCURRENCY: Final = 2
USER: Final = "chatsphere eval"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the bot said to a question. `body` is the whole response."""

    text: str
    answerable: bool
    reason: str | None
    confidence: float
    citations: Sequence[Mapping[str, Any]]
    body: Mapping[str, Any]


def ask(client: Client, bot_id: str, message: str, *, forget: bool = False, **fields: Any) -> Answer:
    """Ask one question in a conversation of its own; `forget` deletes the conversation afterwards.

    `fields` are further ones of the request, those that are None left out.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    body = client.post(f"/bots/{bot_id}/chat", {"message": message, "user": USER, "stream": False, **given})
    if forget:
        client.delete(f"/conversations/{body['conversation_id']}")
    return Answer(
        text=str(body["answer"]),
        answerable=bool(body["answerable"]),
        reason=body.get("reason"),
        confidence=float(body.get("confidence") or 0.0),
        citations=body.get("citations", []),
        body=body,
    )


def ask_all(
    client: Client, bot_id: str, questions: Sequence[Question], on_asked: Callable[[int], None]
) -> list[Answer]:
    """Ask every question and return the answers in the same order."""
    answers = []
    with ThreadPoolExecutor(CONCURRENCY) as threads:
        for answer in threads.map(lambda question: ask(client, bot_id, question.text), questions):
            answers.append(answer)
            on_asked(len(answers))
    return answers
