"""`chatsphere status` and the exit codes of what it finds."""

from rich.console import Console

from tests.integration.cli.conftest import Run
from tests.integration.cli.fake_api import FakeApi


def test_it_says_where_who_and_what_a_bot_holds(cli: Run, known: FakeApi) -> None:
    bot = known.state.add_bot("Ada")
    for name in ("a", "b"):
        known.state.add_document(bot["id"], name)

    report = cli("status", "--bot", "Ada", "--json").json

    assert report["version"] == "9.9"
    assert (report["live"], report["ready"], report["bots"]) == (True, True, 1)
    assert report["api_from"] == "CHATSPHERE_API"
    assert report["bot"]["documents"]["registered"] == 2


def test_a_server_that_is_not_ready_is_exit_1_at_once(cli: Run, known: FakeApi) -> None:
    known.state.ready = False

    result = cli("status", "--json")

    assert (result.code, result.json["ready"]) == (1, False)
    assert known.state.count("GET", "/v1/health/ready") == 1


def test_nobody_is_exit_5_and_health_is_told_all_the_same(cli: Run, api: FakeApi) -> None:
    result = cli("status", "--api", api.url, "--json")

    assert (result.code, result.json["ready"], result.json["identity"]) == (5, True, None)


def test_nothing_there_is_exit_4(cli: Run) -> None:
    result = cli("status", "--api", "http://127.0.0.1:9")

    assert result.code == 4
    assert "make up" in result.err
    assert "Traceback" not in result.err


def test_people_read_it_in_lines(cli: Run, known: FakeApi, terminal: Console) -> None:
    bot = known.state.add_bot("Ada")
    known.state.add_document(bot["id"], "a")

    cli("status")

    shown = terminal.export_text()
    assert "is ready, version 9.9" in shown
    assert "You are ada@example.com of Engines" in shown
    assert "registered" in shown
