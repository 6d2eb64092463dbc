"""A bot as one file, and vectors made anew, from the command line."""

import json
from pathlib import Path

from tests.integration.cli.conftest import Run
from tests.integration.cli.fake_api import FakeApi


def test_a_bot_is_written_to_a_file(cli: Run, known: FakeApi, tmp_path: Path) -> None:
    known.state.add_bot("Ada")
    target = tmp_path / "ada.zip"

    result = cli("bots", "export", "Ada", target, "--leave-out", "vectors")

    assert result.code == 0
    assert "2 documents, 3 chunks" in result.out
    assert json.loads(target.read_bytes()) == {"include": ["originals", "versions", "evaluation_sets"]}
    assert "download_url" not in cli("bots", "export", "Ada", target, "--json").json


def test_a_file_that_is_not_what_was_made_is_not_kept(cli: Run, known: FakeApi, tmp_path: Path) -> None:
    known.state.add_bot("Ada")
    known.state.false_digest = "0" * 64

    result = cli("bots", "export", "Ada", tmp_path / "ada.zip", "--json")

    assert (result.code, result.json["error"]["code"]) == (1, "damaged_download")
    assert list(tmp_path.glob("ada*")) == []


def test_where_no_file_can_be_written_none_is_made(cli: Run, known: FakeApi, tmp_path: Path) -> None:
    known.state.add_bot("Ada")

    for target in (tmp_path, tmp_path / "nowhere" / "ada.zip"):
        assert cli("bots", "export", "Ada", target).code == 2

    assert not [each for each in known.state.requests if each.path.endswith("/exports")]


def test_a_part_that_there_is_not_is_refused(cli: Run, known: FakeApi, tmp_path: Path) -> None:
    assert cli("bots", "export", "Ada", tmp_path / "ada.zip", "--leave-out", "people").code == 2


def test_a_bot_is_made_of_a_file(cli: Run, known: FakeApi, tmp_path: Path) -> None:
    file = tmp_path / "ada.zip"
    file.write_bytes(b"a bot's file")

    result = cli("bots", "import", file, "--name", "Ada")

    assert result.code == 0
    assert "Made b: 2 documents, 3 chunks; its vectors are kept." in result.out
    assert known.state.files["imports/t"] == b"a bot's file"
    asked = next(each for each in known.state.requests if each.path == "/v1/bot-imports")
    assert asked.body == {"name": "Ada"}


def test_why_a_file_is_refused_is_said(cli: Run, known: FakeApi, tmp_path: Path) -> None:
    file = tmp_path / "ada.zip"
    file.write_bytes(b"no bot's file")
    known.state.transfers_end = "failed"

    result = cli("bots", "import", file, "--json")

    assert (result.code, result.json["error"]["code"], result.json["error"]["detail"]) == (
        1, "invalid_file", "It is none.",
    )  # fmt: skip
    assert cli("bots", "import", tmp_path / "nothing.zip").code == 2


def test_vectors_and_memory_are_made_anew_and_followed_to_the_end(cli: Run, known: FakeApi) -> None:
    bots = []
    for name in ("Ada", "Grace"):
        bots.append(known.state.add_bot(name))
        bots[-1]["embedding_model"] = "own" if name == "Ada" else None

    result = cli("vectors", "rebuild", "--all", "--yes", "--json")

    assert result.code == 0
    runs = result.json["data"]
    assert [(run["status"], run["memory_left"], run["embedding_model"]) for run in runs] == [
        ("succeeded", 0, "own"), ("succeeded", 0, "other"),
    ]  # fmt: skip


def test_a_bot_whose_model_is_gone_keeps_no_other_from_its_vectors(cli: Run, known: FakeApi) -> None:
    for name, model in (("Ada", "gone"), ("Grace", "own")):
        known.state.add_bot(name)["embedding_model"] = model

    result = cli("vectors", "rebuild", "--all", "--yes", "--json")
    alone = cli("vectors", "rebuild", "--bot", "Ada", "--yes", "--json")

    assert result.code == 1
    assert [run["status"] for run in result.json["data"]] == ["succeeded"]
    assert [(each["bot_name"], each["code"]) for each in result.json["refused"]] == [
        ("Ada", "embedding_model_unavailable")
    ]
    assert (alone.code, alone.json["error"]["code"]) == (1, "embedding_model_unavailable")


def test_what_it_costs_is_said_and_asked_first(cli: Run, known: FakeApi) -> None:
    known.state.add_bot("Ada")["embedding_model"] = "own"

    (estimate,) = cli("vectors", "rebuild", "--dry-run", "--json").json["data"]
    refused = cli("vectors", "rebuild")

    assert (estimate["memory_messages"], estimate["cost_microdollars"]) == (3, 1_000_000)
    assert refused.code == 2
    assert "--yes" in refused.err
    assert "$1.0000" in refused.err
    assert not known.state.training_runs
