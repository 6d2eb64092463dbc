"""Random policies, holds and histories: what a dry run lists, what a run does, and what the model says are the same."""

import os
from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.retention.driving import Retention
from tests.integration.retention.histories import every_combination, histories
from tests.integration.retention.policy_model import ARCHIVE, History, fates, listed

EXAMPLES = int(os.environ.get("RETENTION_EXAMPLES", "6"))


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES <= 12,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_a_run_does_what_its_dry_run_lists_and_the_policy_says(
    data: st.DataObject, make_retention: Callable[[], Retention]
) -> None:
    # Given
    retention = make_retention()
    check(retention, data.draw(histories(retention.tenant.bot_id, retention.ids, retention.clock.now())))


def test_every_combination_of_actions_with_every_kind_of_conversation(retention: Retention) -> None:
    check(retention, every_combination(retention.tenant.bot_id, retention.ids, retention.clock.now()))


def check(retention: Retention, history: History) -> None:
    retention.put(history)
    expected = as_text(listed(history, retention.clock.now()))
    # When
    dry = retention.run(dry_run=True)
    # Then
    assert as_text(retention.listed(dry["id"])) == expected
    assert everything(retention) == (all_of(history), (set(), set()))
    # When
    real = retention.run()
    # Then
    assert real["status"] == "done"
    assert as_text(retention.listed(real["id"])) == expected
    check_what_is_left(retention, history)
    # And a second run finds nothing but what is kept
    again = retention.run()
    assert {line[3] for line in retention.listed(again["id"])} <= {"keep"}
    check_what_is_left(retention, history)


def check_what_is_left(retention: Retention, history: History) -> None:
    decided = fates(history, retention.clock.now())
    conversations, messages, documents, errors = all_of(history)
    left = (
        conversations - decided.conversations.keys(),
        messages - decided.messages.keys(),
        documents - decided.documents,
        errors - decided.errors,
    )
    archived = (
        {each for each, what in decided.conversations.items() if what == ARCHIVE},
        {each for each, what in decided.messages.items() if what == ARCHIVE},
    )
    assert everything(retention) == (left, archived)


def everything(retention: Retention) -> Any:
    stored = (retention.stored("conversations"), retention.stored("messages"))
    documents = {row["id"] for row in retention.query("SELECT id FROM documents WHERE status <> 'deleting'")}
    archived = (retention.archived("conversations"), retention.archived("messages"))
    return (*stored, documents, retention.stored("error_logs")), archived


def all_of(history: History) -> Any:
    return (
        {each.id for each in history.conversations},
        {message.id for each in history.conversations for message in each.messages},
        {each.id for each in history.documents},
        {each.id for each in history.errors},
    )


def as_text(lines: Counter[Any]) -> Counter[Any]:
    return Counter({tuple(map(str, line)): number for line, number in lines.items()})
