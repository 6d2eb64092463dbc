"""`chatsphere insights`, against the API in this process."""

import csv
import io
import json
import struct
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs

import httpx
import pytest

from chatsphere.cli import client, plotting
from chatsphere.cli.insight_kinds import KINDS
from chatsphere.cli.main import main
from tests.integration.conversations.talking import Talk
from tests.integration.insights.events import Event, add_events

Run = Callable[..., str]


@pytest.fixture
def run(any_talk: Talk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Return a function that runs a command as the bot's owner and returns what it printed."""

    def answer(request: httpx.Request) -> httpx.Response:
        # Small pages, where the command does not say how large: it has to ask for all of them.
        token, query = any_talk.account.access_token, {"limit": ["3"]} | parse_qs(request.url.query.decode())
        found = any_talk.api.request(request.method, request.url.path, None, token=token, query=query)
        return httpx.Response(found.status, headers=dict(found.headers), text=found.text)

    transport = httpx.MockTransport(answer)
    monkeypatch.setattr(client, "open_http", lambda api: httpx.Client(base_url=f"{api}/v1", transport=transport))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("CHATSPHERE_API", "http://127.0.0.1:9")
    monkeypatch.setenv("CHATSPHERE_API_KEY", "cs_not_looked_at")

    def command(*arguments: str, code: int = 0) -> str:
        capsys.readouterr()
        assert main(["insights", *arguments]) == code
        return "".join(line for line in capsys.readouterr().out.splitlines(keepends=True) if '{"_aws' not in line)

    return command


@pytest.fixture(scope="module", autouse=True)
def used(any_talk: Talk) -> None:
    """Three days of a bot, one of them without anything."""
    ids, now = any_talk.api.container.ids, any_talk.api.clock.now()
    events = [
        Event(
            ids.new(),
            now - timedelta(days=days),
            bot_id=any_talk.bot,  # type: ignore[arg-type]
            end_user_id=f"user-{number}",
            model="small",
            reason="unsupported" if number == 3 else None,
            cost_microdollars=1_500_000,
            total_ms=400 + 100 * number,
        )
        for days in (0, 2)
        for number in range(4)
    ]
    with any_talk.api.container.database.transaction(any_talk.organization_id) as connection:
        add_events(connection, [*events, Event(ids.new(), now, metric="feedback", value=4)])


def test_numbers_are_printed_with_bars(any_talk: Talk, run: Run) -> None:
    usage = run("usage")
    assert usage.splitlines()[0].split()[:4] == ["day", "answers", "answered", "refused"]
    assert usage.count("█" * 30) == 2
    assert usage.splitlines()[-1].split()[:4] == ["all", "8", "6", "2"]
    cost = run("cost", "--by", "bot", "--bot", any_talk.bot)
    assert "=Plans" in cost
    assert "$12.0000" in cost
    quality = run("quality", "--model", "small").splitlines()[-1]
    assert ("25.0%" in quality, "4.00" in run("quality").splitlines()[-1]) == (True, True)
    assert run("latency", "--stage", "total").splitlines()[-1].split()[:2] == ["all", "8"]
    assert "Nothing from" in run("latency", "--stage", "first_token")
    run("latency", "--by", "end_user", code=2)
    run("usage", "--since", "yesterday", code=1)


def test_all_pages_are_read(run: Run) -> None:
    whole = json.loads(run("usage", "--by", "end_user", "--json"))
    assert [row["group"] for row in whole["data"]] == [f"user-{number}" for number in range(4)]
    rows = list(csv.reader(io.StringIO(run("usage", "--by", "end_user", "--csv"), newline="")))
    assert [row[0] for row in rows] == ["end_user", *(f"user-{number}" for number in range(4))]


def test_lists_are_printed(run: Run) -> None:
    assert run("sources", "--never").strip() == run("unanswered").strip() == run("errors").strip() == "Nothing."
    assert run("errors", "--csv").startswith("fingerprint,service,")


def test_pictures_are_drawn(run: Run, tmp_path: Path) -> None:
    by_day, by_bot = tmp_path / "day.png", tmp_path / "bot.png"
    run("quality", "--plot", str(by_day))
    run("usage", "--by", "bot", "--plot", str(by_bot))
    for path in (by_day, by_bot):
        head = path.read_bytes()[:24]
        assert head.startswith(b"\x89PNG")
        assert struct.unpack(">II", head[16:])[0] == 1500
    run("usage", "--plot", str(tmp_path / "none" / "day.png"), code=1)


def test_a_name_in_a_picture_is_no_formula(tmp_path: Path) -> None:
    path = tmp_path / "names.png"
    report = {"group_by": "bot", "since": "2026-03-01", "until": "2026-03-01", "data": [{"group": "$\\price{$"}]}
    plotting.plot(report, KINDS["usage"].panels, "Usage", path)
    assert path.stat().st_size > 0
