"""What a confidence means is read with the bot: the organization's calibration of its model before all others."""

from collections.abc import Callable
from datetime import UTC, datetime

from chatsphere.knowledge.calibration import calibrations
from chatsphere.knowledge.calibration.calibrations import FittedCalibration
from chatsphere.knowledge.embedding import choose_model
from chatsphere.knowledge.retrieval.calibration import WORDS_ALONE, Calibration
from chatsphere.knowledge.retrieval.models import SearchResult
from tests.integration.retrieval.library import DIMENSIONS, Library, WordEmbedder

MODEL = WordEmbedder.model
SURE = Calibration(dense=0.0, coverage=0.0, intercept=2.0, threshold=0.7)


def ask(library: Library) -> SearchResult:
    return library.search("pears")


def fill(library: Library) -> Library:
    library.add("Apples and pears")
    with library.transaction() as connection:
        choose_model(connection, library.namespace.bot_id, MODEL, DIMENSIONS)
    return library


def test_a_models_calibration_is_its_organizations_from_the_next_search_on(
    new_library: Callable[[], Library],
) -> None:
    mine, others = fill(new_library()), fill(new_library())
    before = ask(mine)

    with mine.transaction() as connection:
        calibrations.put(connection, MODEL, FittedCalibration(SURE, {}, datetime.now(UTC)))
        calibrations.put(connection, "another", FittedCalibration(WORDS_ALONE, {}, datetime.now(UTC)))
    after = ask(mine)

    assert (before.confidence, before.threshold) == (WORDS_ALONE.confidence(0, 1), WORDS_ALONE.threshold)
    assert (after.confidence, after.threshold) == (SURE.confidence(0, 0), 0.7)
    assert ask(others).confidence == before.confidence

    with mine.transaction() as connection:
        calibrations.remove(connection, MODEL)
    assert ask(mine).confidence == before.confidence
