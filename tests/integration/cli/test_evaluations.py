"""`chatsphere eval answers, refusal, followups, compare, calibrate, from-feedback` and `chatsphere publish`."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from chatsphere.cli.evaluation import intervals
from tests.integration.cli.conftest import Run
from tests.integration.cli.fake_api import FakeApi
from tests.integration.cli.fake_state import Json

SUBJECTS = ("rain", "snow", "wind", "hail", "fog", "dew", "frost", "sleet")


def write_set(name: str = "weather", subjects: Sequence[str] = SUBJECTS) -> Path:
    """Write a set of one passage and one question a subject."""
    folder = Path.cwd() / name
    folder.mkdir()
    corpus = [{"id": each, "title": "", "text": f"{each} falls often in {each}land"} for each in subjects]
    queries = [{"id": f"q-{each}", "text": f"{each} falls in", "answers": [f"{each}land"]} for each in subjects]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, corpus)))
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)))
    (folder / "qrels.tsv").write_text("\n".join(f"q-{each}\t{each}\t1" for each in subjects))
    return folder


@pytest.fixture(autouse=True)
def _without_waiting(known: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    known.state.ready_at_once = True
    # Few, for what the intervals are is tested by themselves.
    monkeypatch.setattr(intervals, "RESAMPLES", 100)


def shown(terminal: Console) -> str:
    return terminal.export_text()


def test_answers_are_held_against_gold_strings_and_citations_against_texts(cli: Run, known: FakeApi) -> None:
    result = cli("eval", "answers", write_set(), "--first", "6", "--require", "--json")

    assert result.code == 0, result
    report = result.json
    assert (report["questions"], report["citations"], report["citation_faults"]) == (6, 6, [])
    assert report["contains_gold"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert report["missed"] == []
    assert known.state.bots == {}


def test_a_citation_that_is_not_true_is_told_and_breaks_the_promise(
    cli: Run, known: FakeApi, terminal: Console
) -> None:
    known.state.lies = True
    folder = write_set()

    assert cli("eval", "answers", folder).code == 0
    report = cli("eval", "answers", folder, "--require", "--json")

    assert "the quote does not stand at its place in the document" in shown(terminal)
    assert report.code == 1
    problems = {fault["problem"] for fault in report.json["citation_faults"]}
    assert problems == {
        "the quote does not stand at its place in the document",
        "the quote does not stand at its place in what was loaded",
    }
    assert [promise["value"] for promise in report.json["promises"]] == [1.0, 0.0]


def test_refusals_are_told_apart_by_confidence(cli: Run, known: FakeApi, terminal: Console) -> None:
    folder, far = write_set(), write_set("sports", ["chess", "golf"])

    report = cli("eval", "refusal", folder, "--far", far, "--first", "4", "--require", "--json")
    assert cli("eval", "refusal", folder, "--first", "4").code == 0

    assert report.code == 0
    assert list(report.json["kinds"]) == ["held-out", "far"]
    # Without "rain" two of its three words are still found: answered, though with less confidence.
    held_out = report.json["kinds"]["held-out"]
    assert (held_out["auc"]["value"], held_out["false_refusals"]["value"]) == (1.0, 0.0)
    assert held_out["missed_refusals"]["value"] == 1.0
    assert [each["share_positive"] for each in held_out["reliability"]] == [0.0, 1.0]
    assert "held-out" in shown(terminal)
    assert known.state.bots == {}


def test_a_confidence_that_says_nothing_breaks_the_promise(cli: Run, known: FakeApi) -> None:
    known.state.chat = [("done", {"answerable": True, "confidence": 0.5, "reason": None})]

    result = cli("eval", "refusal", write_set(), "--first", "4", "--require", "--json")

    assert result.code == 1
    assert result.json["promises"][0]["value"] == 0.5


def test_a_follow_up_finds_what_the_question_in_full_finds(cli: Run, known: FakeApi, terminal: Console) -> None:
    folder = write_set()
    one: Json = {
        "id": "1",
        "turns": [{"role": "user", "content": "rain ?"}],
        "question": "does it ?",
        "kind": "pronoun",
    }
    one |= {"full_question": "rain falls", "relevant": {"rain": 1}}
    (folder / "conversations.jsonl").write_text(json.dumps(one))

    report = cli("eval", "followups", folder, "--json")
    required = cli("eval", "followups", folder, "--require")

    assert report.code == 0
    assert report.json["in_full"]["value"] == 1.0
    assert list(report.json["kinds"]) == ["pronoun"]
    searched = [request.body for request in known.state.requests if request.path.endswith("/search")]
    assert searched[0]["history"] == one["turns"]
    # The fake does not know what "it" is, and finds nothing.
    assert required.code == 1
    assert "not kept" in shown(terminal)


@pytest.fixture
def bot(known: FakeApi) -> str:
    """A bot that holds the passages of `write_set`, at its second version."""
    made = known.state.add_bot("Weather", version=2, visibility="private")
    for subject in SUBJECTS:
        document = known.state.add_document(made["id"], subject, status="ready")
        known.state.texts[document["id"]] = f"{subject} falls often in {subject}land"
    return str(made["id"])


def add_set(known: FakeApi, *cases: Json) -> None:
    known.state.evaluation_sets.append({"id": "set-1", "name": "Mine"})
    plain: Json = {"history": [], "expected_answers": [], "relevant_documents": [], "expect_refusal": False}
    known.state.evaluation_cases["set-1"] = [
        {"id": f"case-{place}", "needs_review": False, **plain, **case} for place, case in enumerate(cases)
    ]


def test_a_version_that_finds_nothing_is_worse_and_is_not_published(
    cli: Run, known: FakeApi, bot: str, terminal: Console
) -> None:
    known.state.deaf_versions = {2}
    folder = write_set()

    compared = cli("eval", "compare", "Weather", "--set", folder, "--publish", "--json")
    published = cli("publish", "Weather", "--unless-worse", "--set", folder, "--first", "4")
    assert published.code == 2
    published = cli("publish", "Weather", "--unless-worse", "--set", folder)

    assert (compared.code, compared.json["verdict"], compared.json["published"]) == (1, "worse", False)
    assert compared.json["versions"] == [1, 2]
    assert compared.json["measures"]["retrieval"]["difference"]["value"] == -1.0
    assert published.code == 1
    assert known.state.bots[bot]["visibility"] == "private"
    assert "worse" in shown(terminal)


def test_a_version_that_is_no_worse_is_published(cli: Run, known: FakeApi, bot: str) -> None:
    known.state.deaf_versions = {1}

    compared = cli("eval", "compare", "Weather", "--set", write_set(), "--publish", "--json")

    assert (compared.code, compared.json["verdict"], compared.json["published"]) == (0, "better", True)
    assert known.state.bots[bot]["visibility"] == "public"
    # What was asked leaves no conversation behind.
    asked = known.state.count("POST", f"/v1/bots/{bot}/chat")
    deleted = [one for one in known.state.requests if one.method == "DELETE" and "/conversations/" in one.path]
    assert asked == len(deleted) == 2 * len(SUBJECTS)


def test_the_cases_of_a_bots_own_set_are_asked_but_for_those_to_be_looked_at(
    cli: Run, known: FakeApi, bot: str
) -> None:
    said = [{"role": "user", "content": "hello"}]
    relevant = [{"document_id": "x", "document_name": "rain", "quote": None}]
    add_set(
        known,
        {"question": "rain falls in", "expected_answers": ["rainland"], "relevant_documents": relevant},
        {"question": "snow falls in", "expected_answers": ["no such thing"], "history": said},
        {"question": "who plays chess", "expect_refusal": True},
        {"question": "unseen", "needs_review": True},
    )

    report = cli("eval", "compare", bot, "--set", "Mine", "--version", "1", "--version", "2", "--json").json

    assert (report["questions"], report["verdict"]) == (3, "no difference")
    counts = {name: measure["questions"] for name, measure in report["measures"].items()}
    assert counts == {"score": 3, "retrieval": 1, "answers": 2, "refusals": 3}
    assert report["measures"]["refusals"]["first"]["value"] == 1.0
    asked = [request.body for request in known.state.requests if request.path.endswith("/chat")]
    assert [body.get("history") for body in asked if body["message"] == "snow falls in"] == [said, said]
    assert not any(body["message"] == "unseen" for body in asked)


def test_only_searching_makes_no_answer(cli: Run, known: FakeApi, bot: str) -> None:
    report = cli("eval", "compare", bot, "--set", write_set(), "--retrieval-only", "--json").json

    assert list(report["measures"]) == ["score", "retrieval"]
    assert known.state.count("POST", f"/v1/bots/{bot}/chat") == 0


def test_what_cannot_be_compared_is_a_usage_error(cli: Run, known: FakeApi, bot: str) -> None:
    assert cli("eval", "compare", bot, "--set", "nobody's").code == 2
    assert cli("eval", "compare", bot, "--set", write_set(), *["--version", "1"] * 3).code == 2
    assert cli("eval", "compare", bot, "--set", "weather", "--version", "2", "--version", "1", "--publish").code == 2
    assert cli("publish", bot, "--unless-worse").code == 2
    known.state.bots[bot]["version"] = 1
    assert cli("eval", "compare", bot, "--set", "weather").code == 2
    assert cli("publish", bot).code == 0
    assert known.state.bots[bot]["visibility"] == "public"


def test_a_calibration_is_fitted_shown_and_stored_only_when_asked(
    cli: Run, known: FakeApi, monkeypatch: pytest.MonkeyPatch, terminal: Console
) -> None:
    monkeypatch.setattr(
        known.state,
        "add_bot",
        lambda name, **fields: type(known.state).add_bot(known.state, name, embedding_model="own:3"),
    )
    folder, other = write_set(), write_set("sports", ["chess", "golf", "polo", "judo"])

    assert cli("eval", "calibrate", folder, other).code == 0
    assert known.state.calibrations == {}
    report: Any = cli("eval", "calibrate", folder, other, "--write", "--json").json

    assert report["embedding_model"] == "own:3"
    assert known.state.calibrations == {"own%3A3": report["calibration"]}
    assert report["calibration"]["fitted_on"]["sets"] == ["weather", "sports"]
    assert report["calibration"]["fitted_on"]["examples"] == 2 * (len(SUBJECTS) + 4)
    assert set(report["auc"]) == {"all", "held-out", "far"}
    assert report["auc"]["all"]["value"] == 1.0
    assert "Not stored" in shown(terminal)
    assert known.state.bots == {}


def test_a_key_that_may_not_store_a_calibration_is_told_before_anything_is_measured(cli: Run, known: FakeApi) -> None:
    known.state.key_scopes = ["bots:write", "chat"]

    result = cli("eval", "calibrate", write_set(), "--write", "--json")

    assert result.code == 2
    assert "organization:write" in result.json["error"]["detail"]
    assert known.state.count("POST", "/v1/bots") == 0


def test_rated_answers_are_imported_page_by_page_into_a_set_that_is_made(cli: Run, known: FakeApi, bot: str) -> None:
    known.state.feedback_pages = [
        {"added": 100, "needs_review": 3, "known": 5, "more": True},
        {"added": 20, "needs_review": 1, "known": 105, "more": False},
    ]

    report = cli("eval", "from-feedback", "Weather", "Rated", "--json").json

    assert {key: report[key] for key in ("added", "needs_review", "known")} == {
        "added": 120,
        "needs_review": 4,
        "known": 5,
    }
    assert [each["name"] for each in known.state.evaluation_sets] == ["Rated"]
