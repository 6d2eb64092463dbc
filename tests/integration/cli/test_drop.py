"""`chatsphere drop`: from files to documents that are ready, or that say why they are not."""

from pathlib import Path

import pytest
from rich.console import Console

from chatsphere.cli.watch import Watch
from tests.integration.cli.conftest import Run
from tests.integration.cli.fake_api import FakeApi


@pytest.fixture
def bot_id(known: FakeApi) -> str:
    return str(known.state.add_bot("Ada")["id"])


def folder(**files: str) -> Path:
    root = Path.cwd() / "notes"
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_a_folder_becomes_documents_named_by_their_place_in_it(cli: Run, known: FakeApi, bot_id: str) -> None:
    # Given a folder with a subfolder and hidden things
    root = folder(a_txt="one", sub__b_md="two", _hidden="x", sub___git__c="x")

    # When it is dropped
    result = cli("drop", root, "--json")

    # Then what is not hidden is ready, with the bytes of the files
    assert result.code == 0, result
    rows = {row["name"]: row for row in result.json["documents"]}
    assert {name: row["status"] for name, row in rows.items()} == {"a.txt": "ready", "sub/b.md": "ready"}
    assert rows["a.txt"]["chunk_count"] == 2
    assert rows["a.txt"]["seconds"] > 0
    assert known.state.texts[rows["sub/b.md"]["id"]] == "two"
    announced = [request.body for request in known.state.requests if request.path.endswith("/documents")]
    assert {"name": "sub/b.md", "content_type": "text/markdown", "size": 3} in announced


def test_one_failure_is_exit_1_and_does_not_stop_the_others(cli: Run, known: FakeApi, bot_id: str) -> None:
    root = folder(good_txt="one", broken_txt="two", refused_txt="three", empty_txt="")

    result = cli("drop", root, "--json")

    codes = {row["name"]: row["error_code"] for row in result.json["documents"]}
    assert result.code == 1
    assert codes == {
        "good.txt": None,
        "broken.txt": "corrupt",
        "refused.txt": "upload_failed",
        "empty.txt": "empty",
    }
    assert (result.json["succeeded"], result.json["failed"]) == (1, 3)


def test_the_api_refusing_one_file_is_that_files_failure(cli: Run, known: FakeApi, bot_id: str) -> None:
    known.state.fail("POST", f"/v1/bots/{bot_id}/documents", 413, code="payload_too_large")

    result = cli("drop", folder(a_txt="one"), "--json")

    assert result.code == 1
    assert result.json["documents"][0]["error_code"] == "payload_too_large"


def test_a_store_that_stumbles_is_tried_again(cli: Run, known: FakeApi, bot_id: str) -> None:
    known.state.fail("POST", "/store", 503)

    assert cli("drop", folder(a_txt="one"), "--json").code == 0
    assert known.state.count("POST", "/store") == 2


def test_many_documents_are_followed_by_the_page(cli: Run, known: FakeApi, bot_id: str) -> None:
    root = folder(**{f"f{number}_txt": "text" for number in range(60)})

    result = cli("drop", root, "--json")

    assert result.code == 0
    assert result.json["succeeded"] == 60
    path = f"/v1/bots/{bot_id}/documents"
    assert sum(request.path.startswith(f"{path}/") for request in known.state.requests) < 60
    assert any(request.query.get("status") == "embedding" for request in known.state.requests)


def test_many_documents_are_followed_where_the_server_does_not_filter(cli: Run, known: FakeApi, bot_id: str) -> None:
    known.state.filters_by_status = False

    result = cli("drop", folder(**{f"f{number}_txt": "text" for number in range(30)}), "--json")

    assert (result.code, result.json["succeeded"]) == (0, 30)


def test_new_bytes_under_a_known_name_are_waited_for(cli: Run, known: FakeApi, bot_id: str) -> None:
    # Given a document that is ready with its old bytes
    path = folder(a_txt="old") / "a.txt"
    cli("drop", path, "--json")
    assert next(iter(known.state.documents[bot_id].values()))["status"] == "ready"

    # When new bytes are dropped
    path.write_text("new")
    result = cli("drop", path, "--json")

    # Then it is the new ones that are ready
    assert result.json["documents"][0]["status"] == "ready"
    assert known.state.texts[result.json["documents"][0]["id"]] == "new"


def test_no_wait_only_sends(cli: Run, known: FakeApi, bot_id: str) -> None:
    result = cli("drop", folder(a_txt="one"), "--no-wait", "--json")

    assert (result.code, result.json["documents"][0]["status"]) == (0, "registered")


def test_a_document_that_is_not_ready_in_time_is_exit_1(cli: Run, known: FakeApi, bot_id: str) -> None:
    result = cli("drop", folder(stuck_txt="one", b_txt="two"), "--timeout", "1", "--json")

    rows = {row["name"]: row for row in result.json["documents"]}
    assert result.code == 1
    assert rows["stuck.txt"]["error_code"] == "timeout"
    assert rows["stuck.txt"]["status"] == "extracting"
    assert rows["b.txt"]["status"] == "ready"


def test_a_document_deleted_meanwhile_does_not_hang(
    cli: Run, known: FakeApi, bot_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    poll = Watch.poll

    def delete_first(self: Watch) -> None:
        known.state.documents[bot_id].clear()
        poll(self)

    monkeypatch.setattr(Watch, "poll", delete_first)

    result = cli("drop", folder(a_txt="one"), "--json")

    assert (result.code, result.json["documents"][0]["status"]) == (1, "deleted")


@pytest.mark.parametrize("arguments", [["nowhere.pdf"], ["."], []])
def test_nothing_to_drop_is_a_usage_error(cli: Run, known: FakeApi, bot_id: str, arguments: list[str]) -> None:
    assert cli("drop", *arguments).code == 2


def test_two_files_of_one_name_are_a_usage_error(cli: Run, known: FakeApi, bot_id: str) -> None:
    root = folder(a__x_txt="1", b__x_txt="2")

    result = cli("drop", root / "a", root / "b")

    assert result.code == 2
    assert known.state.documents[bot_id] == {}


def test_people_see_a_table_with_the_failures_first(cli: Run, known: FakeApi, bot_id: str, terminal: Console) -> None:
    cli("drop", folder(a_txt="one", broken_txt="two"))

    shown = terminal.export_text()
    assert shown.index("corrupt: The file is damaged.") < shown.index("a.txt")
    assert "1 of 2 documents, 1 failed." in shown


def test_ctrl_c_while_waiting_is_exit_130(
    cli: Run, known: FakeApi, bot_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: Watch) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Watch, "poll", interrupted)

    assert cli("drop", folder(a_txt="one")).code == 130
