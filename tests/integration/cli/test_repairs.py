"""What failed is tried again, and what was lost is found."""

from tests.integration.cli.conftest import Run
from tests.integration.cli.fake_api import FakeApi


def failed(api: FakeApi, bot_id: str, *codes: str) -> None:
    for number, code in enumerate(codes):
        api.state.add_document(bot_id, f"{number}.txt", status="failed", error_code=code)


def test_all_that_failed_is_processed_again_however_many_requests_that_takes(cli: Run, known: FakeApi) -> None:
    first, second = (known.state.add_bot(name)["id"] for name in ("Ada", "Grace"))
    failed(known, first, "internal_error", "internal_error")
    failed(known, second, "internal_error")

    result = cli("redrive", "--all", "--json")

    assert {one["bot_id"]: one["redriven"] for one in result.json["data"]} == {first: 2, second: 1}
    assert known.state.count("POST", f"/v1/bots/{first}/redrive") == 2


def test_what_failed_in_a_certain_way_can_be_named(cli: Run, known: FakeApi) -> None:
    bot = known.state.add_bot("Ada")["id"]
    failed(known, bot, "corrupt", "empty")

    result = cli("redrive", "Ada", "--error-code", "corrupt")

    assert result.code == 0
    assert [one["status"] for one in known.state.documents[bot].values()] == ["registered", "failed"]
    assert cli("redrive", "Ada", "--all").code == 2


def test_a_reconciliation_is_waited_for_and_shown(cli: Run, known: FakeApi) -> None:
    bot = known.state.add_bot("Ada")["id"]
    known.state.reconciliations[bot] = {
        "status": "succeeded",
        "looked_at": {"objects": 3},
        "found": {"object_gone": 2},
        "repaired": {"object_gone": 1},
        "remaining": {"object_gone": 1},
    }

    result = cli("reconcile", "Ada")

    assert result.code == 1
    assert "looked at 3 objects" in result.out
    assert result.out.split()[-5:] == ["object", "gone", "2", "1", "1"]


def test_where_nothing_is_left_the_exit_code_says_so(cli: Run, known: FakeApi) -> None:
    bot = known.state.add_bot("Ada")["id"]
    known.state.reconciliations[bot] = {
        "status": "succeeded", "looked_at": {}, "found": {}, "repaired": {}, "remaining": {},
    }  # fmt: skip

    result = cli("reconcile", "--dry-run")

    assert (result.code, "Everything corresponds." in result.out) == (0, True)
    assert known.state.requests[-2].body == {"dry_run": True}
