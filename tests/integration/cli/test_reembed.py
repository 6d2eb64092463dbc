"""Bots are embedded with another model from the command line."""

from rich.console import Console

from tests.integration.cli.conftest import Run
from tests.integration.cli.fake_api import FakeApi


def begun(api: FakeApi) -> list[str]:
    """Return the bots for which runs were asked for, in order, without the dry ones."""
    asked = [r for r in api.state.requests if r.method == "POST" and r.path.endswith("/training-runs")]
    return [request.path.split("/")[3] for request in asked if not request.body.get("dry_run")]


def test_without_a_model_the_models_are_listed(cli: Run, known: FakeApi) -> None:
    assert [model["name"] for model in cli("reembed", "--json").json["data"]] == ["other"]
    assert "$0.2000" in cli("reembed").out


def test_a_dry_run_says_what_it_would_cost(cli: Run, known: FakeApi) -> None:
    bot = known.state.add_bot("Ada")

    result = cli("reembed", "Ada", "--model", "other", "--dry-run", "--json")

    (estimate,) = result.json["data"]
    assert (estimate["bot_id"], estimate["cost_microdollars"]) == (bot["id"], 1_000_000)
    assert "$1.0000" in cli("reembed", "Ada", "--model", "other", "--dry-run").out
    assert begun(known) == []


def test_all_bots_are_embedded_and_followed_to_the_end(cli: Run, known: FakeApi) -> None:
    bots = [known.state.add_bot(name)["id"] for name in ("Ada", "Grace")]
    known.state.add_bot("Old")["status"] = "archived"

    result = cli("reembed", "--all", "--model", "other", "--yes", "--json")

    assert result.code == 0
    assert [(run["bot_id"], run["status"]) for run in result.json["data"]] == [(bot, "succeeded") for bot in bots]
    assert begun(known) == bots


def test_a_second_call_shows_the_runs_of_the_first(cli: Run, known: FakeApi) -> None:
    bot = known.state.add_bot("Ada")["id"]
    first = cli("reembed", "Ada", "--model", "other", "--yes", "--no-wait", "--json").json["data"]

    second = cli("reembed", "Ada", "--model", "other", "--json")

    assert [run["id"] for run in second.json["data"]] == [run["id"] for run in first]
    assert second.json["data"][0]["status"] == "succeeded"
    assert begun(known) == [bot]


def test_nothing_begins_where_nobody_can_be_asked(cli: Run, known: FakeApi) -> None:
    known.state.add_bot("Ada")

    result = cli("reembed", "Ada", "--model", "other")

    assert result.code == 2
    assert "--yes" in result.err
    assert begun(known) == []


def test_a_bot_or_all_but_not_both(cli: Run, known: FakeApi) -> None:
    assert cli("reembed", "Ada", "--all", "--model", "other").code == 2


def test_progress_is_shown_on_a_terminal(cli: Run, known: FakeApi, terminal: Console) -> None:
    known.state.add_bot("Ada")

    assert cli("reembed", "Ada", "--model", "other", "--yes").code == 0

    assert "2 of 2" in terminal.export_text()


def test_a_run_that_waits_for_the_budget_is_not_waited_for(cli: Run, known: FakeApi) -> None:
    run = known.state.add_run(known.state.add_bot("Ada")["id"], "other")
    run |= {"total_batches": 1000, "awaits_budget_since": "2026-01-01T00:00:00Z"}

    result = cli("reembed", "Ada", "--model", "other")

    assert result.code == 0
    assert "waits" in result.out


def test_a_bot_that_the_budget_has_no_room_for_keeps_no_other_from_its_run(cli: Run, known: FakeApi) -> None:
    ada, grace = (known.state.add_bot(name) for name in ("Ada", "Grace"))
    ada["embedding_model"] = grace["embedding_model"] = "own"
    known.state.without_budget.add(ada["id"])

    for command in (["reembed", "--model", "other"], ["vectors", "rebuild"]):
        known.state.training_runs.clear()
        result = cli(*command, "--all", "--yes", "--json")
        alone = cli(*command, *(["--bot"] if command[0] == "vectors" else []), "Ada", "--yes", "--json")

        assert result.code == 1
        assert [(run["bot_id"], run["status"]) for run in result.json["data"]] == [(grace["id"], "succeeded")]
        assert [(each["bot_name"], each["code"]) for each in result.json["refused"]] == [("Ada", "budget_exhausted")]
        assert (alone.code, alone.json["error"]["code"]) == (1, "budget_exhausted")


def test_a_failed_run_is_told_by_the_exit_code(cli: Run, known: FakeApi) -> None:
    known.state.add_run(known.state.add_bot("Ada")["id"], "other")["error_code"] = "training_stalled"

    result = cli("reembed", "Ada", "--model", "other")

    assert result.code == 1
    assert "failed (training_stalled)" in result.out
