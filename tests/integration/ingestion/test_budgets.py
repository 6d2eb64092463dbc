"""What ingestion takes from the month's budget: never more than there is; what finds no room waits until there is."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from chatsphere.adapters.system import UuidV7Ids
from chatsphere.billing.budgets import MonthUsage, Spending, organization_usage, reserve
from chatsphere.billing.work import PaidWork, WorkOverBudgetError
from chatsphere.db.database import Database
from chatsphere.errors import BudgetExhaustedError, UnavailableError
from chatsphere.knowledge.ingestion import budget_waits
from chatsphere.knowledge.ingestion.parts import product_cutter
from chatsphere.knowledge.text import Block
from chatsphere.knowledge.training.times import BUDGET_WAIT, MAX_ATTEMPTS
from chatsphere.ports.embedding import EmbeddingModel
from tests.fakes import FakeEmbedder, FixedClock
from tests.integration.ingestion.pipeline import FakeExtraction, Pipeline, WorkerKilled
from tests.integration.ingestion.retraining import add_other_model, embedding, run_of, start
from tests.integration.ingestion.tripwire import crash_stride, run_killed_at, wire
from tests.integration.memory.talking import configure, remember, say
from tests.postgres import DatabaseUrls
from tests.racing import race

PAGE = 1_500


@pytest.fixture
def paying(pipeline: Pipeline) -> Pipeline:
    """A pipeline whose model takes one micro-dollar for a token."""
    pipeline.embedder = FakeEmbedder(price=1)
    return pipeline


def set_budget(pipeline: Pipeline, microdollars: int | None = None, tokens: int | None = None) -> None:
    values = {"microdollars": microdollars, "tokens": tokens, "id": pipeline.tenant.organization_id}
    with pipeline.connection() as connection:
        connection.execute(
            "UPDATE organizations SET monthly_budget_microdollars = %(microdollars)s,"
            " monthly_budget_tokens = %(tokens)s WHERE id = %(id)s",
            values,
        )


def month(pipeline: Pipeline) -> MonthUsage:
    with pipeline.connection() as connection:
        return organization_usage(connection, pipeline.tenant.organization_id, pipeline.clock.now())


def state(pipeline: Pipeline) -> tuple[str, str, str | None]:
    document = pipeline.document()
    return document["status"], document["stage"], document["error_code"]


def go_on(pipeline: Pipeline) -> None:
    """What the reaper does by itself, every five minutes."""
    pipeline.clock.advance(timedelta(minutes=5))
    pipeline.reap()
    pipeline.run()


def words(count: int) -> list[str]:
    return [f"Line {number}." for number in range(count)]


@pytest.mark.parametrize("budget", [{"microdollars": 0}, {"tokens": 1}])
def test_a_document_waits_for_the_budget_and_goes_on_when_it_is_raised(paying: Pipeline, budget: Any) -> None:
    set_budget(paying, **budget)
    paying.drop("a.txt", "A line.")
    paying.run()
    # More than its hour: neither does its time run out, nor is it tried for nothing.
    paying.clock.advance(timedelta(hours=2))
    go_on(paying)
    assert state(paying) == ("embedding", "budget", None)
    assert paying.embedder.texts == []
    assert (month(paying).tokens, month(paying).cost_microdollars) == (0, 0)

    set_budget(paying, microdollars=1000, tokens=1000)
    go_on(paying)

    paying.assert_ready(["A line."])
    assert month(paying).cost_microdollars == month(paying).tokens > 1


def test_a_document_goes_on_when_the_month_begins(paying: Pipeline) -> None:
    paying.clock.advance(datetime(2026, 1, 31, 23, tzinfo=UTC) - paying.clock.now())
    set_budget(paying, microdollars=3)
    paying.drop("a.txt", "A line.")
    paying.run()
    spent = month(paying)
    assert spent.cost_microdollars > 0
    paying.drop("a.txt", "Another line.")
    paying.run()
    assert state(paying) == ("embedding", "budget", None)
    assert paying.chunks() == ["A line."]

    paying.clock.advance(timedelta(hours=1))
    go_on(paying)

    assert paying.chunks() == ["Another line."]
    assert month(paying).period.month == 2
    assert month(paying).cost_microdollars <= 3


def test_a_large_document_takes_what_there_is_and_pays_each_batch_once(paying: Pipeline) -> None:
    lines = words(150)
    set_budget(paying, microdollars=200)
    paying.drop("a.txt", "\n".join(lines))
    paying.run()
    paying.settle()
    assert state(paying) == ("embedding", "budget", None)
    first = month(paying).cost_microdollars
    assert 0 < first <= 200

    set_budget(paying, microdollars=10_000)
    go_on(paying)

    paying.assert_ready(lines)
    assert len(paying.embedder.texts) == len(lines)
    assert month(paying).cost_microdollars == sum(len(text.split()) for text in paying.embedder.texts)


def test_batches_that_are_refused_while_the_document_is_read_are_not_lost(paying: Pipeline) -> None:
    lines = words(200)
    paying.part_time = timedelta(0)
    set_budget(paying, microdollars=0)
    paying.drop("a.txt", "\n".join(lines))
    paying.run()
    paying.settle()
    assert state(paying) == ("embedding", "budget", None)

    set_budget(paying)
    go_on(paying)

    paying.assert_ready(lines)


def test_the_deadline_begins_anew_after_the_wait(paying: Pipeline) -> None:
    set_budget(paying, microdollars=0)
    paying.drop("a.txt", "A line.")
    paying.run()
    paying.clock.advance(timedelta(days=20))
    set_budget(paying)
    paying.clock.advance(timedelta(minutes=5))
    paying.reap()
    # Its message is lost.
    paying.embed_queue.messages.clear()
    paying.settle()
    paying.assert_ready(["A line."])


def test_what_costs_nothing_neither_waits_nor_counts(pipeline: Pipeline) -> None:
    set_budget(pipeline, microdollars=0, tokens=0)
    pipeline.drop("a.txt", "A line.")
    pipeline.run()
    pipeline.assert_ready(["A line."])
    assert month(pipeline).tokens == 0


def test_a_waiting_document_is_replaced_by_what_comes_later(paying: Pipeline) -> None:
    set_budget(paying, microdollars=0)
    paying.drop("a.txt", "A line.")
    paying.run()
    paying.drop("a.txt", "Another line.")
    paying.run()
    assert state(paying) == ("embedding", "budget", None)
    set_budget(paying)
    go_on(paying)
    assert paying.chunks() == ["Another line."]
    assert paying.document()["status"] == "ready"


def test_as_many_documents_go_on_as_there_is_room_for_the_first_ones_first(paying: Pipeline) -> None:
    set_budget(paying, microdollars=0)
    for number in range(4):
        paying.drop(f"{number}.txt", "one two three four five six seven eight nine ten")
        paying.run()
        paying.clock.advance(timedelta(seconds=1))
    needed = paying.documents()[0]["awaited_microdollars"]
    set_budget(paying, microdollars=2 * needed + needed // 2)
    go_on(paying)
    go_on(paying)
    assert [row["status"] for row in paying.documents()] == ["ready", "ready", "embedding", "embedding"]
    assert month(paying).cost_microdollars == 2 * needed


# ------------------------------------------------------------------------------------------------------- OCR


class CountingOcr:
    """Reads each picture as its own bytes."""

    engine = "counting"

    def __init__(self) -> None:
        self.pages: list[bytes] = []

    def read(self, image: bytes) -> str:
        self.pages.append(image)
        return image.decode()


def read_scans(path: Any, *, ocr: Any, position: Any, **_: Any) -> Any:
    """Each line of a text is a page that shows it as a picture."""
    lines = path.read_bytes().splitlines()[position.blocks :]
    return FakeExtraction((Block(ocr.read(line)) for line in lines), position=position)


@pytest.fixture
def scans(pipeline: Pipeline) -> CountingOcr:
    """The pipeline's engine, which costs money for each page."""
    pipeline.ocr, pipeline.ocr_page_microdollars, pipeline.read = CountingOcr(), PAGE, read_scans
    ocr: CountingOcr = pipeline.ocr
    return ocr


def test_pages_that_are_read_by_ocr_are_counted(pipeline: Pipeline, scans: CountingOcr) -> None:
    pipeline.drop("a.txt", "one\ntwo\nthree")
    pipeline.run()
    pipeline.assert_ready(["one", "two", "three"])
    assert (month(pipeline).tokens, month(pipeline).cost_microdollars) == (0, 3 * PAGE)
    with pipeline.connection() as connection:
        events = connection.execute("SELECT value, model, cost_microdollars FROM usage_events WHERE metric = 'ocr'")
        assert [tuple(row.values()) for row in events] == [(1, "counting", PAGE)] * 3


def test_a_scan_waits_for_the_budget_of_its_next_page(pipeline: Pipeline, scans: CountingOcr) -> None:
    set_budget(pipeline, microdollars=2 * PAGE)
    pipeline.drop("a.txt", "one\ntwo\nthree")
    pipeline.run()
    for _ in range(2):
        pipeline.clock.advance(timedelta(hours=2))
        go_on(pipeline)
    assert state(pipeline) == ("registered", "budget", None)
    assert scans.pages == [b"one", b"two"]
    assert pipeline.document()["attempts"] == 0

    set_budget(pipeline, microdollars=20 * PAGE)
    go_on(pipeline)

    pipeline.assert_ready(["one", "two", "three"])
    # What was read before was paid for, and is not read again.
    assert scans.pages == [b"one", b"two", b"three"]
    assert month(pipeline).cost_microdollars == 3 * PAGE


def test_a_scan_of_more_pages_than_a_month_has_money_for_is_read_in_several(
    pipeline: Pipeline, scans: CountingOcr
) -> None:
    set_budget(pipeline, microdollars=PAGE)
    pipeline.drop("a.txt", "one\ntwo\nthree")
    pipeline.run()
    for _ in range(2):
        pipeline.clock.advance(timedelta(days=31))
        go_on(pipeline)
    pipeline.assert_ready(["one", "two", "three"])
    assert scans.pages == [b"one", b"two", b"three"]


def test_pages_that_make_no_whole_chunk_yet_are_not_read_again_either(pipeline: Pipeline, scans: CountingOcr) -> None:
    pipeline.make_cutter = product_cutter
    set_budget(pipeline, microdollars=2 * PAGE)
    pipeline.drop("a.txt", "one\ntwo\nthree")
    pipeline.run()
    assert pipeline.chunks(live=False) == []

    set_budget(pipeline)
    go_on(pipeline)

    assert pipeline.chunks() == ["one\n\ntwo\n\nthree"]
    assert scans.pages == [b"one", b"two", b"three"]


# ------------------------------------------------------------------------------------------- races and crashes


def test_of_many_at_once_only_those_are_done_that_there_is_room_for(
    paying: Pipeline, database_urls: DatabaseUrls, ids: UuidV7Ids
) -> None:
    set_budget(paying, microdollars=350)
    organization, clock = paying.tenant.organization_id, FixedClock()

    def work(database: Database, number: int) -> int:
        return PaidWork(database, clock, ids).do(organization, Spending(10, 100), lambda: number)

    outcomes = race(database_urls.app, 12, work)

    refused = [each for each in outcomes if isinstance(each, WorkOverBudgetError)]
    assert len(refused) == 9
    assert {each.needed for each in refused} == {Spending(10, 100)}
    assert (month(paying).cost_microdollars, month(paying).messages) == (300, 0)


def test_a_step_that_fails_counts_nothing(paying: Pipeline) -> None:
    def fail() -> None:
        raise UnavailableError

    paid = PaidWork(paying.database, paying.clock, paying.ids)
    with pytest.raises(UnavailableError):
        paid.do(paying.tenant.organization_id, Spending(10, 100), fail)
    assert month(paying).cost_microdollars == 0


def test_a_step_that_was_killed_holds_its_price_only_for_a_while(paying: Pipeline) -> None:
    def die() -> None:
        raise WorkerKilled

    set_budget(paying, microdollars=100)
    paid = PaidWork(paying.database, paying.clock, paying.ids)
    with pytest.raises(WorkerKilled):
        paid.do(paying.tenant.organization_id, Spending(10, 100), die)
    with pytest.raises(WorkOverBudgetError):
        paid.do(paying.tenant.organization_id, Spending(10, 100), lambda: None)
    paying.clock.advance(timedelta(minutes=6))
    paid.do(paying.tenant.organization_id, Spending(10, 100), lambda: None)


def test_a_worker_that_is_killed_at_any_step_overspends_nothing_and_loses_nothing(
    make_pipeline: Callable[[], Pipeline],
) -> None:
    lines, enough_for_the_first_batch = words(70), 130
    for fatal in count(1, crash_stride(19)):
        # Given
        pipeline = make_pipeline()
        pipeline.embedder = FakeEmbedder(price=1)
        set_budget(pipeline, microdollars=enough_for_the_first_batch)
        pipeline.drop("a.txt", "\n".join(lines))
        # When
        if not run_killed_at(pipeline, wire(pipeline), fatal):
            assert fatal > crash_stride(19)
            return
        pipeline.settle()
        # Then
        assert pipeline.document()["stage"] == "budget"
        assert month(pipeline).cost_microdollars <= enough_for_the_first_batch
        set_budget(pipeline)
        go_on(pipeline)
        pipeline.settle()
        pipeline.assert_ready(lines)


def test_work_under_way_takes_no_message_of_the_plan(paying: Pipeline) -> None:
    organization = paying.tenant.organization_id
    with paying.connection() as connection:
        reserve(
            connection, paying.ids.new(), Spending(10, 100), organization_id=organization, api_key_id=None,
            now=paying.clock.now(), messages=0,
        )  # fmt: skip
    assert month(paying).messages == 0
    assert month(paying).cost_microdollars == 100


# ------------------------------------------------------------------------------------- bots embedded anew, memory


def test_a_run_that_the_budget_does_not_hold_is_not_begun(pipeline: Pipeline) -> None:
    pipeline.drop("a.txt", "A line of some words.")
    pipeline.run()
    add_other_model(pipeline)
    set_budget(pipeline, microdollars=1)
    with pytest.raises(BudgetExhaustedError):
        start(pipeline)


def test_a_run_waits_for_the_budget_and_goes_on(pipeline: Pipeline) -> None:
    pipeline.drop("a.txt", "\n".join(words(130)))
    pipeline.run()
    other = add_other_model(pipeline)
    run = start(pipeline)
    set_budget(pipeline, microdollars=200)
    pipeline.run()
    done = run_of(pipeline, run)["done_batches"]
    with pipeline.connection() as connection:
        connection.execute("UPDATE training_runs SET attempts = %s", (MAX_ATTEMPTS - 1,))
    for _ in range(2):
        pipeline.clock.advance(BUDGET_WAIT + timedelta(seconds=1))
        pipeline.reap()
        pipeline.run()
    waiting = run_of(pipeline, run)
    assert (waiting["status"], waiting["done_batches"]) == ("running", done)
    assert waiting["awaits_budget_since"] is not None
    assert embedding(pipeline).model == "fake"

    set_budget(pipeline)
    pipeline.clock.advance(BUDGET_WAIT + timedelta(seconds=1))
    pipeline.settle()

    ended = run_of(pipeline, run)
    assert (ended["status"], ended["awaits_budget_since"]) == ("succeeded", None)
    assert month(pipeline).cost_microdollars == ended["cost_microdollars"]
    assert len(other.texts) == 130


def test_a_document_does_not_wait_for_the_budget_of_the_model_to_come(pipeline: Pipeline) -> None:
    pipeline.drop("a.txt", "\n".join(words(10)))
    pipeline.run()
    add_other_model(pipeline)
    start(pipeline)
    set_budget(pipeline, microdollars=0)
    pipeline.drop("b.txt", "Another line.")
    pipeline.run()
    assert [row["status"] for row in pipeline.documents()] == ["ready", "ready"]


def test_memory_waits_for_the_budget(paying: Pipeline) -> None:
    configure(paying, memory=True)
    set_budget(paying, microdollars=0)
    say(paying, "What is it?", "It is this.")
    remember(paying)
    assert paying.embedder.texts == []
    set_budget(paying)
    paying.clock.advance(timedelta(hours=3))
    paying.reap()
    paying.run()
    assert paying.embedder.texts == ["What is it?", "It is this."]
    assert month(paying).cost_microdollars == 6


def test_one_organization_that_waits_keeps_no_other_waiting(make_pipeline: Callable[[], Pipeline]) -> None:
    poor, rich = make_pipeline(), make_pipeline()
    for each in (poor, rich):
        each.embedder = FakeEmbedder(price=1)
        set_budget(each, microdollars=0)
        each.drop("a.txt", "A line.")
        each.run()
    set_budget(rich)
    go_on(rich)
    assert rich.document()["status"] == "ready"
    assert state(poor) == ("embedding", "budget", None)


def test_more_that_wait_in_vain_than_one_run_looks_at_keep_no_other_waiting(
    make_pipeline: Callable[[], Pipeline], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget_waits, "ORGANIZATIONS", 1)
    poor, rich = make_pipeline(), make_pipeline()
    for each in (poor, rich):
        each.embedder = FakeEmbedder(price=1)
        set_budget(each, microdollars=0)
        each.drop("a.txt", "A line.")
        each.run()
    set_budget(rich)
    waits = budget_waits.BudgetWaits(rich.reaper_database, rich.database, rich.clock)
    # Drawn by lot, also among those that the tests before this one left waiting.
    assert any(waits.end() and state(rich)[1] == "embed" for _ in range(500))
    go_on(rich)


def test_a_document_goes_on_that_waits_for_the_price_of_a_former_model(paying: Pipeline) -> None:
    set_budget(paying, microdollars=0)
    paying.drop("a.txt", "A line.")
    paying.run()
    free = EmbeddingModel("free", 24, 0, is_default=False)
    paying.further_embedders[free.name] = FakeEmbedder(free.dimensions, model=free.name)
    start(paying, free)
    paying.run()
    go_on(paying)
    assert state(paying) == ("ready", "done", None)
    assert month(paying).cost_microdollars == 0
