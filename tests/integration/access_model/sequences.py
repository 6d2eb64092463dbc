"""Sequences of steps, done from an empty world."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from tests.builders.running_api import RunningApi, running_api
from tests.fakes import FixedClock, InMemoryObjectStore
from tests.integration.access_model import bot_actions, key_actions, member_actions, people_actions
from tests.integration.access_model.run import Action, Run
from tests.integration.access_model.steps import Step
from tests.postgres import DatabaseUrls

ACTIONS: Final[dict[str, Action]] = (
    people_actions.ACTIONS | member_actions.ACTIONS | bot_actions.ACTIONS | key_actions.ACTIONS
)

OFTEN: Final = ("invite", "accept", "switch", "make bot", "grant", "make key")
"""Without these there would be little to do anything with."""

NAMES: Final = [*ACTIONS, *OFTEN]

UNLIMITED: Final = {
    "DEFAULT_PLAN": "Enterprise",
    "ORGANIZATIONS_PER_PERSON": "1000",
    "ACCESS_TOKEN_SECONDS": "86400",
    "UPLOADS_BUCKET": "uploads",
}
"""What is tried here is who may do what, not how much or for how long."""


@contextmanager
def api_of_sequences(urls: DatabaseUrls) -> Iterator[RunningApi]:
    """The API with quotas out of the way, and a bucket in memory."""
    with running_api(urls, **UNLIMITED) as api:
        vars(api.container).update(object_store=InMemoryObjectStore(FixedClock()))
        yield api


def run_sequence(api: RunningApi, steps: Iterable[Step]) -> Counter[tuple[str, int]]:
    """Do the steps; return how often each operation was answered with each status.

    Raises:
        DisagreementError: the API and the model differ.
    """
    run = Run.begin(api)
    for step in steps:
        run.do(step, ACTIONS)
    return run.answers
