"""Whatever is done in whatever order, the API permits what the model permits, and shows what it shows."""

from collections.abc import Callable, Iterator
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatsphere.access.permissions import REQUIREMENTS, ROLE_LEVEL, BotLevel, Permission, Requirement, Role, Scope
from tests.builders.running_api import RunningApi
from tests.integration.access_model.run import DisagreementError
from tests.integration.access_model.sequences import NAMES, api_of_sequences, run_sequence
from tests.integration.access_model.steps import HIGHEST, NUMBERS, Step, random_steps
from tests.postgres import DatabaseUrls

SEQUENCES = 25
SHORTEST, LONGEST = 60, 120

NUMBER = st.integers(0, HIGHEST - 1)
STEP = st.builds(Step, st.sampled_from(NAMES), st.tuples(*[NUMBER] * NUMBERS))


@pytest.fixture(scope="module")
def api(database_urls: DatabaseUrls) -> Iterator[RunningApi]:
    with api_of_sequences(database_urls) as api:
        yield api


@settings(max_examples=SEQUENCES, suppress_health_check=[*HealthCheck])
@given(steps=st.lists(STEP, min_size=SHORTEST, max_size=LONGEST))
def test_nobody_may_do_more_or_less_than_the_model_says(api: RunningApi, steps: list[Step]) -> None:
    run_sequence(api, steps)


def editors_manage_bots(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(ROLE_LEVEL, Role.EDITOR, BotLevel.MANAGE)


def editors_manage_members(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(REQUIREMENTS, Permission.MEMBERS_MANAGE, Requirement(Scope.ORGANIZATION_WRITE, Role.EDITOR))


def any_key_reads_bots(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(REQUIREMENTS, Permission.BOTS_LIST, Requirement(None))


@pytest.mark.parametrize("fault", [editors_manage_bots, editors_manage_members, any_key_reads_bots])
def test_the_model_notices_a_rule_that_is_wrong(
    api: RunningApi, fault: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    fault(monkeypatch)
    random = Random(1)

    with pytest.raises(DisagreementError):
        for _ in range(20):
            run_sequence(api, random_steps(random, NAMES, 150))
