"""Search as a use case of its own: what chat would retrieve, for whoever wants to see it."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from chatsphere.billing.budgets import Spending, count_spending, reserve, settle
from chatsphere.bots.bots import get_bot
from chatsphere.bots.versions import bot_at
from chatsphere.chat.estimating import most_rewriting
from chatsphere.chat.masking import turns_masked
from chatsphere.chat.services import Services
from chatsphere.knowledge.redaction.masking import masking
from chatsphere.knowledge.retrieval.filters import DocumentFilter
from chatsphere.knowledge.retrieval.models import Mode, Passage, SearchResult
from chatsphere.ports.answers import StandaloneQuestion, Turn

COUNT_SEARCH: Final = """
INSERT INTO usage_events
    (id, organization_id, bot_id, api_key_id, user_id, metric, prompt_tokens, completion_tokens, cost_microdollars,
     created_at)
SELECT %(id)s, app.current_organization(), bots.id, %(api_key_id)s, %(user_id)s, 'search', %(prompt_tokens)s,
    %(completion_tokens)s, %(cost_microdollars)s, %(now)s
FROM bots WHERE organization_id = app.current_organization() AND bots.id = %(bot_id)s
"""
"""Count a search."""

COUNT_EMBEDDING: Final = """
INSERT INTO usage_events
    (id, organization_id, bot_id, api_key_id, user_id, metric, value, model, embedding_tokens, cost_microdollars,
     created_at)
SELECT %(id)s, app.current_organization(), bots.id, %(api_key_id)s, %(user_id)s, 'embedding', %(tokens)s,
    bots.embedding_model, %(tokens)s, %(cost_microdollars)s, %(now)s
FROM bots WHERE organization_id = app.current_organization() AND bots.id = %(bot_id)s
"""
"""Count what the embedding of a search's query took, where that costs something."""


@dataclass(frozen=True, slots=True)
class SearchQuestion:
    """What is searched for. Without `limit`, as many hits as the bot's chat takes; `bot_version` as in chat.

    `history`: what was said before, the oldest first; the query is made stand-alone by it, as chat does.
    """

    organization_id: UUID
    user_id: UUID | None
    bot_id: UUID
    query: str
    api_key_id: UUID | None = None
    limit: int | None = None
    within: DocumentFilter | None = None
    mode: Mode = "fused"
    explain: bool = False
    history: Sequence[Turn] = ()
    bot_version: int | None = None


@dataclass(frozen=True, slots=True)
class BotSearch:
    """What was searched for, what was found and, where an explanation was asked for, what the answer model would be
    given of it.
    """

    query: str
    result: SearchResult
    passages: Sequence[Passage] = ()


def search_bot(asked: SearchQuestion, services: Services) -> BotSearch:
    """Return the hits, best first, and how sure retrieval is: by the same call as chat, at the bot's settings.

    Raises:
        NotFoundError: the tenant has no such bot, or the bot no such version.
        QuotaExceededError, BudgetExhaustedError: a model is to make the query stand alone, and nothing is left for it.
    """
    with services.database.transaction(asked.organization_id, asked.user_id) as connection:
        bot = bot_at(connection, get_bot(connection, asked.bot_id), asked.bot_version)
    settings = bot.configuration
    mask = masking(settings.redaction, services.personal_data)
    standalone = _standalone(asked, mask(asked.query), turns_masked(asked.history, mask), services)
    with ThreadPoolExecutor(1) as thread:
        # While the query is embedded: its commit, which waits for the disk, costs the answer nothing.
        counted = thread.submit(copy_context().run, _count, asked, standalone, services)
        found = services.retriever.search(
            asked.organization_id,
            asked.bot_id,
            standalone.text,
            limit=asked.limit or settings.top_k,
            within=asked.within,
            mode=asked.mode,
            settings=settings.retrieval,
            explain=asked.explain,
        )
        counted.result()
    if found.embedding_microdollars:
        _count_embedding(asked, found, services)
    if not asked.explain or found.confidence is None or found.confidence < found.threshold:
        return BotSearch(standalone.text, found)
    return BotSearch(standalone.text, found, services.retriever.assemble(found, settings.token_budget))


def _standalone(asked: SearchQuestion, query: str, history: Sequence[Turn], services: Services) -> StandaloneQuestion:
    """Return the query with what it leaves to the history filled in, paid for as chat's; it is no message."""
    if not history:
        return services.model.standalone_question(query, history)
    now, reservation, model = services.clock.now(), services.ids.new(), services.model
    with services.database.transaction(asked.organization_id, asked.user_id) as connection:
        reserve(
            connection,
            reservation,
            most_rewriting(query, history, model),
            organization_id=asked.organization_id,
            api_key_id=asked.api_key_id,
            now=now,
            messages=0,
        )
    used = Spending()
    try:
        found = model.standalone_question(query, history)
        used = Spending(found.prompt_tokens + found.completion_tokens, found.cost_microdollars)
    finally:
        with services.database.transaction(asked.organization_id, asked.user_id) as connection:
            settle(connection, reservation, used, messages=0)
    return found


def _count(asked: SearchQuestion, standalone: StandaloneQuestion, services: Services) -> None:
    took = {
        "prompt_tokens": standalone.prompt_tokens,
        "completion_tokens": standalone.completion_tokens,
        "cost_microdollars": standalone.cost_microdollars,
    }
    with services.database.transaction(asked.organization_id, asked.user_id, pipelined=True) as connection:
        connection.execute(COUNT_SEARCH, _event(asked, services) | took)


def _count_embedding(asked: SearchQuestion, found: SearchResult, services: Services) -> None:
    used, event = Spending(found.embedding_tokens, found.embedding_microdollars), _event(asked, services)
    took = {"tokens": used.tokens, "cost_microdollars": used.cost_microdollars}
    with services.database.transaction(asked.organization_id, asked.user_id, pipelined=True) as connection:
        connection.execute(COUNT_EMBEDDING, event | took)
        count_spending(connection, used, event["now"])


def _event(asked: SearchQuestion, services: Services) -> dict[str, Any]:
    return {
        "id": services.ids.new(),
        "bot_id": asked.bot_id,
        "api_key_id": asked.api_key_id,
        "user_id": asked.user_id,
        "now": services.clock.now(),
    }
