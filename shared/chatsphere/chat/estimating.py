"""The most that an answer can use, before anything of it is known but the question, the history and the bot."""

from collections.abc import Callable, Sequence
from typing import Final

from chatsphere.billing.budgets import Spending
from chatsphere.bots.model import Bot
from chatsphere.ports.answers import AnswerModel, AnswerRequest, Turn

INSTRUCTIONS: Final = 1000
"""Tokens of what a model is told besides the bot's own prompt, for a rewriting and an answer together."""

PASSAGE_FRAME: Final = 64
"""Tokens of what stands around a passage: number, name, heading, marks."""

REWRITING: Final = 200
"""Tokens of a question written anew, at most."""

RECALLED: Final = 1800
"""Tokens of what is recalled from before the history, at most: of some scripts a character is one."""


def most_spent(
    bot: Bot,
    history: Sequence[Turn],
    question_tokens: int,
    model: AnswerModel,
    embedding_cost: Callable[[str | None, int], int],
    *,
    recalls: bool = False,
) -> Spending:
    """Return an upper bound of tokens and money: all passages that fit, and the longest answer permitted.

    `embedding_cost`: see `chatsphere.chat.evidence.Retriever`. `recalls`: messages before the history may be recalled.
    """
    settings, leans = bot.configuration, bool(history) or recalls
    said = sum(model.count_tokens(turn.content) for turn in history) + (RECALLED if recalls else 0)
    prompt = INSTRUCTIONS + model.count_tokens(bot.system_prompt)
    prompt += settings.token_budget + PASSAGE_FRAME * settings.top_k
    # A follow-up is sent twice: to be written anew, and to be answered.
    prompt += 2 * (question_tokens + said) if leans else question_tokens
    completion = settings.max_output_tokens + (REWRITING if leans else 0)
    # To recall by, the question is embedded as it stands.
    embedded = question_tokens * (2 if recalls else 1) + (REWRITING if leans else 0)
    cost = model.cost(prompt, completion) + embedding_cost(bot.embedding_model, embedded)
    return Spending(prompt + completion + embedded, cost)


def most_rewriting(question: str, history: Sequence[Turn], model: AnswerModel) -> Spending:
    """Return an upper bound of what it takes to write a question anew by its history."""
    prompt = INSTRUCTIONS + sum(map(model.count_tokens, [question, *(turn.content for turn in history)]))
    return Spending(prompt + REWRITING, model.cost(prompt, REWRITING))


def about_spent(request: AnswerRequest, answer: str, model: AnswerModel) -> tuple[int, int]:
    """Return about how many tokens of prompt and answer a call used that broke off without saying so."""
    texts = [request.question, request.system_prompt, *(turn.content for turn in request.history)]
    texts += [passage.content for passage in request.passages]
    return INSTRUCTIONS // 2 + sum(map(model.count_tokens, texts)), model.count_tokens(answer)
