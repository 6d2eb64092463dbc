"""Random policies, holds and histories, as Hypothesis makes them."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from chatsphere.ports.system import Ids
from tests.integration.retention.policy_model import (
    Conversation,
    Document,
    ErrorLog,
    History,
    Hold,
    Message,
)

DAYS = st.one_of(st.none(), st.integers(1, 120))
ACTIONS = st.sampled_from(["archive", "delete"])
RULES = st.fixed_dictionaries(
    {"inactive_conversation_action": ACTIONS, "message_action": ACTIONS},
    optional={
        "inactive_conversation_days": DAYS,
        "message_days": DAYS,
        "system_message_days": DAYS,
        "document_days": DAYS,
        "error_log_days": DAYS,
    },
)
AGES = st.one_of(st.integers(0, 130 * 86_400), st.integers(1, 120).map(lambda days: days * 86_400))
"""Seconds before now; every now and then exactly a number of days: a cutoff."""
END_USERS = st.sampled_from([None, "ann", "bob"])
ROLES = st.sampled_from(["user", "assistant", "assistant", "system"])


@st.composite
def histories(draw: st.DrawFn, tenant_bot: UUID, ids: Ids, now: datetime) -> History:
    """A tenant of up to three bots, a dozen conversations and what hangs on them."""
    bots = sorted([tenant_bot, *(ids.new() for _ in range(draw(st.integers(0, 2))))])
    history = History(bots, rules=draw(st.one_of(st.just({}), RULES)))
    for bot in draw(st.lists(st.sampled_from(bots), unique=True)):
        if rules := draw(RULES):
            history.overrides[bot] = rules
    for _ in range(draw(st.integers(3, 12))):
        history.conversations.append(_conversation(draw, draw(st.sampled_from(bots)), ids, now))
    for _ in range(draw(st.integers(0, 3))):
        made = now - timedelta(seconds=draw(AGES))
        changed = made + (now - made) * draw(st.sampled_from([0.0, 0.5]))
        history.documents.append(Document(ids.new(), draw(st.sampled_from(bots)), made, changed))
    for _ in range(draw(st.integers(0, 4))):
        about = draw(st.sampled_from([None, *bots, ids.new()]))
        history.errors.append(ErrorLog(ids.new(), about, now - timedelta(seconds=draw(AGES))))
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        history.holds.append(_hold(draw, history))
    return history


def _conversation(draw: st.DrawFn, bot: UUID, ids: Ids, now: datetime) -> Conversation:
    ages = sorted(draw(st.lists(AGES, min_size=1, max_size=6)), reverse=True)
    times = [now - timedelta(seconds=age) for age in ages]
    messages = [Message(ids.new(), draw(ROLES), time) for time in times]
    used = times[-1] + timedelta(seconds=draw(st.sampled_from([0, 5])))
    kept: Any = draw(st.sampled_from([None, None, None, now, now + timedelta(days=1)]))
    return Conversation(
        ids.new(), bot, draw(END_USERS), times[0], used, messages, draw(st.sampled_from([False, False, True])), kept
    )


def _hold(draw: st.DrawFn, history: History) -> Hold:
    kinds = ["organization", "bot", "end_user", "end_user"] + (["conversation"] * 2 if history.conversations else [])
    kind, bot = draw(st.sampled_from(kinds)), draw(st.sampled_from(history.bots))
    if kind == "conversation":
        about = draw(st.sampled_from(history.conversations))
        return Hold(kind, about.bot_id, about.id)
    if kind == "end_user":
        return Hold(kind, bot, end_user_id=draw(st.sampled_from(["ann", "bob"])))
    return Hold(kind, bot if kind == "bot" else None)


def every_combination(tenant_bot: UUID, ids: Ids, now: datetime) -> History:
    """A bot for each pair of actions, each with a conversation of every kind, and a hold of every kind but one."""
    history = History(sorted([tenant_bot, ids.new(), ids.new(), ids.new()]), rules={"document_days": 100})
    for number, bot in enumerate(history.bots):
        whole, single = ("archive", "delete")[number % 2], ("archive", "delete")[number // 2]
        history.overrides[bot] = {
            "inactive_conversation_action": whole,
            "message_action": single,
            "message_days": (60, 120)[number // 2],
        }
        for end_user in ("ann", "bob"):
            for begun, used, answered, kept in (
                (200, 100, False, None),
                (200, 100, True, None),
                (200, 100, False, now + timedelta(days=1)),
                (110, 91, False, now),
                (200, 5, False, None),
                (40, 20, False, None),
            ):
                times = [now - timedelta(days=used + (begun - used) * step / 4) for step in (4, 3, 1, 0)]
                roles = ("system", "user", "assistant", "user")
                messages = [Message(ids.new(), role, at) for role, at in zip(roles, times, strict=True)]
                history.conversations.append(
                    Conversation(ids.new(), bot, end_user, times[0], times[-1], messages, answered, kept)
                )
        for age in (101, 99):
            made = now - timedelta(days=age)
            history.documents.append(Document(ids.new(), bot, made, made))
            history.errors.append(ErrorLog(ids.new(), bot, made))
    history.errors.append(ErrorLog(ids.new(), None, now - timedelta(days=91)))
    first, second, third, _ = history.bots
    held = next(each for each in history.conversations if each.bot_id == second)
    history.holds = [
        Hold("end_user", first, end_user_id="ann"),
        Hold("conversation", second, held.id),
        Hold("bot", third),
    ]
    return history
