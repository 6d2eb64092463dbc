"""Bots and documents by id and by name; what is printed, and what is not done without being sure."""

import pytest
from rich.console import Console

from tests.integration.cli.conftest import Run
from tests.integration.cli.fake_api import FakeApi


def ready_document(api: FakeApi, bot_id: str, name: str, text: str = "text") -> str:
    document = api.state.add_document(bot_id, name)
    api.state.receive(bot_id, document["id"], text)
    document["status"] = "ready"
    return str(document["id"])


def test_a_bot_is_made_shown_changed_and_deleted(cli: Run, known: FakeApi) -> None:
    made = cli("bots", "create", "Ada", "--description", "Sums", "--temperature", "0.5", "--json")
    assert made.code == 0
    assert known.state.requests[-1].body == {"name": "Ada", "description": "Sums", "temperature": 0.5}

    changed = cli("bots", "update", "ada", "--name", "Grace", "--json")
    assert (changed.json["id"], changed.json["name"]) == (made.json["id"], "Grace")

    assert cli("bots", "show", "--json").json == changed.json

    deleted = cli("bots", "delete", "Grace", "--yes", "--json")
    assert (deleted.json["id"], deleted.json["deleted"]) == (made.json["id"], True)
    assert cli("deletions", "list", "--json").json["data"] == [deleted.json["deletion"]]
    assert known.state.bots == {}


def test_deleting_is_not_done_where_nobody_can_be_asked(cli: Run, known: FakeApi) -> None:
    known.state.add_bot("Ada")

    result = cli("bots", "delete", "Ada")

    assert result.code == 2
    assert "--yes" in result.err
    assert len(known.state.bots) == 1


def test_every_page_of_a_list_is_read(cli: Run, known: FakeApi) -> None:
    for number in range(230):
        known.state.add_bot(f"bot {number}")

    assert len(cli("bots", "list", "--json").json["data"]) == 230
    assert known.state.count("GET", "/v1/bots") == 3


@pytest.mark.parametrize(
    ("names", "reference", "code"),
    [
        ([], None, "no_bot"),
        (["a", "b"], None, "which_bot"),
        (["a", "a"], "a", "which_bot"),
        (["a"], "b", "no_such_bot"),
    ],
)
def test_a_bot_that_is_not_clear_is_a_usage_error(
    cli: Run, known: FakeApi, names: list[str], reference: str | None, code: str
) -> None:
    for name in names:
        known.state.add_bot(name)

    result = cli("docs", "list", "--json", *(["--bot", reference] if reference else []))

    assert (result.code, result.json["error"]["code"]) == (2, code)


def test_a_name_in_its_own_case_goes_before_one_in_another(cli: Run, known: FakeApi) -> None:
    known.state.add_bot("ada")
    upper = known.state.add_bot("Ada")

    assert cli("bots", "show", "Ada", "--json").json["id"] == upper["id"]


def test_documents_are_listed_shown_and_deleted_by_name(cli: Run, known: FakeApi) -> None:
    bot = known.state.add_bot("Ada")
    first = ready_document(known, bot["id"], "a.txt", "first")
    second = ready_document(known, bot["id"], "b.txt")
    known.state.documents[bot["id"]][second]["status"] = "failed"

    assert len(cli("docs", "list", "--json").json["data"]) == 2
    assert [item["id"] for item in cli("documents", "list", "--status", "failed", "--json").json["data"]] == [second]
    assert cli("docs", "show", "a.txt", "--json").json["id"] == first
    assert cli("docs", "chunks", "a.txt", "--json").json["data"][0]["content"] == "first"
    assert cli("docs", "reprocess", "b.txt", "--json").json["document"]["status"] == "registered"
    deleted = cli("docs", "delete", "a.txt", second, "--yes", "--json").json
    assert deleted["deleted"] == [first, second]
    receipt = deleted["deletions"][0]
    assert cli("deletions", "show", receipt["id"], "--json").json == receipt
    shown = cli("deletions", "list", "--bot", bot["id"]).out
    assert ("2 chunks" in shown, "nothing" in shown) == (True, True)
    assert known.state.documents[bot["id"]] == {}


def test_a_status_filter_works_where_the_server_has_none(cli: Run, known: FakeApi) -> None:
    bot = known.state.add_bot("Ada")
    known.state.filters_by_status = False
    ready_document(known, bot["id"], "a.txt")

    assert cli("docs", "list", "--status", "failed", "--json").json["data"] == []


def test_a_missing_document_is_exit_1_with_the_servers_code(cli: Run, known: FakeApi) -> None:
    known.state.add_bot("Ada")

    result = cli("docs", "show", "00000000-0000-0000-0000-000000000000", "--json")

    assert result.code == 1
    assert result.json["error"] == {
        "code": "not_found",
        "detail": "There is no such thing.",
        "hint": None,
        "exit_code": 1,
        "status": 404,
        "request_id": "r",
        "errors": [],
    }


def test_fields_that_are_not_valid_are_named(cli: Run, known: FakeApi) -> None:
    known.state.fail("POST", "/v1/bots", 422)
    known.state.faults[0].body["errors"] = [{"pointer": "body/name", "code": "too_short", "detail": "Too short."}]

    result = cli("bots", "create", "x")

    assert result.code == 1
    assert result.err.splitlines()[:2] == ["Error: This is not valid:", "  name: Too short."]
    assert "r-1" in result.err


def test_an_answer_of_something_else_than_the_api_is_told_as_such(cli: Run, known: FakeApi) -> None:
    known.state.fail("GET", "/v1/bots", 404)
    known.state.faults[0].body.clear()

    result = cli("bots", "list")

    assert "Is that ChatSphere's API?" in result.err
    assert "None" not in result.err


def test_settings_are_shown_one_by_one_as_the_api_takes_them(cli: Run, known: FakeApi) -> None:
    known.state.add_bot("Ada", is_active=True, configuration={"top_k": 8, "threshold": None, "cache": False})

    shown = [line.split() for line in cli("bots", "show", "Ada").out.splitlines()]

    assert ["configuration.top_k", "8"] in shown
    assert ["configuration.cache", "false"] in shown
    assert ["is_active", "true"] in shown
    assert not any("threshold" in cell for line in shown for cell in line)


def test_tables_fit_the_terminal_and_elide_long_names(cli: Run, known: FakeApi, terminal: Console) -> None:
    bot = known.state.add_bot("Ada [bold]")
    ready_document(known, bot["id"], "a" * 300 + ".txt")

    cli("bots", "list")
    cli("docs", "list")
    cli("docs", "chunks", "a" * 300 + ".txt")

    shown = terminal.export_text()
    assert "Ada [bold]" in shown
    assert bot["id"] in shown
    assert "aaa…" in shown
    assert "Top › Sub" in shown
    assert max(map(len, shown.splitlines())) <= 100


def test_there_are_no_colours_in_a_pipe_and_no_control_characters_anywhere(cli: Run, known: FakeApi) -> None:
    bot = known.state.add_bot("Ada")
    ready_document(known, bot["id"], "evil\x1b]0;title\x07.txt", "\x1b[2Jgone")

    listed = cli("docs", "list")
    shown = cli("docs", "chunks", "evil\x1b]0;title\x07.txt")

    assert listed.code == shown.code == 0
    assert "\x1b" not in listed.out + shown.out
    assert "evil]0;title.txt" in listed.out
