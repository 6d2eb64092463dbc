"""`chatsphere eval`: a set goes in through the product, and a table comes out."""

import importlib
import json
from pathlib import Path
from types import ModuleType

import pytest
from rich.console import Console

from chatsphere.cli.watch import Watch
from tests.integration.cli.conftest import Run
from tests.integration.cli.fake_api import FakeApi

PASSAGES = [
    {"id": "d/1", "title": "Rain", "text": "rain falls in may"},
    {"id": "d.2", "title": "", "text": "snow falls in winter months"},
    {"id": "d3", "title": "Sun", "text": "Sun shines in summer"},
    {"id": "empty", "title": "", "text": ""},
]
QUERIES = [{"id": "q1", "text": "rain may falls"}, {"id": "q2", "text": "snow"}, {"id": "q3", "text": "unjudged"}]


def write_set(name: str = "weather", header: str = "") -> Path:
    folder = Path.cwd() / name
    folder.mkdir()
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, PASSAGES)))
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, QUERIES)))
    (folder / "qrels.tsv").write_text(f"{header}q1\td/1\t2\nq2\td.2\t1\nq3\td3\t0\n")
    return folder


def test_a_set_is_loaded_measured_and_removed(cli: Run, known: FakeApi) -> None:
    result = cli("eval", write_set(), "--json")

    assert result.code == 0, result
    [entry] = result.json["sets"]
    assert (entry["name"], entry["passages"], entry["empty"], entry["queries"]) == ("weather", 3, 1, 2)
    rows = {row["mode"]: row for row in entry["rows"]}
    assert list(rows) == ["lexical", "dense", "fused"]
    assert rows["lexical"]["ndcg_at_10"] == 1.0
    # The fake's dense order is the reverse: "rain may falls" also matches "snow falls", which comes first.
    assert rows["dense"]["mrr_at_10"] == 0.75
    assert 0 < rows["lexical"]["latency_p50_ms"] <= rows["lexical"]["latency_p95_ms"]
    assert result.json["mean"] == []
    assert known.state.bots == {}


def test_passages_go_in_under_encoded_names_and_with_their_titles_once(cli: Run, known: FakeApi) -> None:
    cli("eval", write_set(), "--json")

    sent = {request.body["name"]: request.body["text"] for request in known.state.requests if "text" in request.body}
    assert sent == {
        "d%2F1": "Rain\n\nrain falls in may",
        "d%2E2": "snow falls in winter months",
        "d3": "Sun shines in summer",
    }


def test_a_header_of_the_judgements_is_skipped(cli: Run, known: FakeApi) -> None:
    result = cli("eval", write_set(header="query-id\tcorpus-id\tscore\n"), "--limit-queries", "1", "--json")

    assert result.json["sets"][0]["queries"] == 1


def test_several_sets_have_a_mean(cli: Run, known: FakeApi, terminal: Console) -> None:
    first, second = write_set("one"), write_set("two")

    report = cli("eval", first, second, "--json").json
    cli("eval", first, second)

    assert [row["mode"] for row in report["mean"]] == ["lexical", "dense", "fused"]
    assert report["mean"][1]["mrr_at_10"] == 0.75
    shown = terminal.export_text()
    assert "nDCG@10" in shown
    assert "mean" in shown
    assert "1.0000" in shown


def test_a_kept_bot_is_used_again_without_loading(cli: Run, known: FakeApi) -> None:
    folder = write_set()
    bot_id = cli("eval", folder, "--keep", "--json").json["sets"][0]["bot_id"]
    loaded = known.state.count("POST", f"/v1/bots/{bot_id}/documents")

    again = cli("eval", folder, "--bot", bot_id, "--json")

    assert again.code == 0
    assert loaded == known.state.count("POST", f"/v1/bots/{bot_id}/documents") == 3
    assert list(known.state.bots) == [bot_id]


def test_loading_survives_an_overloaded_server(cli: Run, known: FakeApi) -> None:
    bot = known.state.add_bot("mine")
    known.state.fail("POST", f"/v1/bots/{bot['id']}/documents", 429, times=3, Retry_After="0")
    known.state.fail("POST", f"/v1/bots/{bot['id']}/documents", 503, times=3, Retry_After="0")
    known.state.fail("POST", f"/v1/bots/{bot['id']}/search", 503, Retry_After="0")

    result = cli("eval", write_set(), "--bot", "mine", "--json")

    assert (result.code, result.json["sets"][0]["passages"]) == (0, 3)


def test_a_passage_that_fails_is_counted_and_is_exit_1(cli: Run, known: FakeApi) -> None:
    folder = write_set()
    with (folder / "corpus.jsonl").open("a") as file:
        file.write("\n" + json.dumps({"id": "broken", "text": "x"}))

    result = cli("eval", folder, "--json")

    assert result.code == 1
    assert result.json["sets"][0]["failed"] == {"broken": "corrupt"}
    assert known.state.bots == {}


def test_the_bot_is_removed_after_ctrl_c(cli: Run, known: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: Watch) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Watch, "poll", interrupted)

    assert cli("eval", write_set()).code == 130
    assert known.state.bots == {}


def test_the_baseline_is_bm25_on_the_same_passages(cli: Run, known: FakeApi) -> None:
    pytest.importorskip("bm25s")
    pytest.importorskip("Stemmer")

    rows = cli("eval", write_set(), "--baseline", "bm25s", "--json").json["sets"][0]["rows"]

    assert rows[-1]["mode"] == "bm25s"
    assert rows[-1]["ndcg_at_10"] == 1.0
    assert rows[-1]["latency_p50_ms"] is None


def test_a_baseline_that_is_not_installed_is_said_before_anything_is_done(
    cli: Run, known: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> ModuleType:
        if name == "bm25s":
            raise ImportError(name)
        return importlib.import_module(name)

    monkeypatch.setattr("chatsphere.cli.evaluation.baseline.import_module", missing)

    result = cli("eval", write_set(), "--baseline", "bm25s", "--json")

    assert result.code == 2
    assert "pip install" in result.json["error"]["hint"]
    assert known.state.requests == []


def test_what_is_no_set_is_a_usage_error(cli: Run, known: FakeApi) -> None:
    assert cli("eval", Path.cwd()).code == 2
    assert cli("eval", write_set("a"), write_set("b"), "--bot", "mine").code == 2
