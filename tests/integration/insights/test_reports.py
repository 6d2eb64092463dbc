"""What is told of a bot that was asked, rated and searched; over HTTP, before and after its days are summed up."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest

from chatsphere.insights.rolling import UsageRoller
from tests.builders.invitations import joined
from tests.builders.rest_api import Answer
from tests.builders.running_api import RunningApi
from tests.integration.conversations.talking import Talk
from tests.integration.insights.events import Event, add_events

Roll = Callable[[], object]


@pytest.fixture(params=["events", "sums"])
def summed_up(request: pytest.FixtureRequest, roller: UsageRoller) -> Roll:
    """Return a function after which reports are read from events, or from sums."""
    return roller.roll if request.param == "sums" else lambda: None


def rate(talk: Talk, answer: dict[str, Any], rating: int | None) -> None:
    path = f"/v1/messages/{answer['message_id']}/feedback"
    given = talk.request("DELETE", path) if rating is None else talk.request("PUT", path, {"rating": rating})
    assert given.status in (200, 204), given.text


def test_a_day_is_told_by_usage_cost_and_quality(talk: Talk, summed_up: Roll) -> None:
    # Given three answers of two end users, one in vain, and ratings that were changed and taken back
    first = talk.ask(user="ada")
    second = talk.ask(user="béa")
    talk.ask("Unknown?", answered=False, user="ada")
    rate(talk, first, 5)
    rate(talk, first, 2)
    rate(talk, first, 4)
    rate(talk, second, 1)
    rate(talk, second, None)
    assert talk.client().post(f"/v1/bots/{talk.bot}/search", {"query": "price"}).status_code == 200
    # When
    summed_up()
    # Then
    usage = talk.get("/v1/insights/usage")
    total = usage["total"]
    assert (total["answers"], total["answered"], total["refused"], total["failed"]) == (3, 2, 1, 0)
    assert (total["searches"], total["ratings"], total["prompt_tokens"]) == (1, 1, 10)
    assert {name: sum(row[name] for row in usage["data"]) for name in total} == total
    assert usage["data"][-1]["group"] == usage["until"]
    cost = talk.get("/v1/insights/cost", group_by="model")
    assert cost["total"]["cost_microdollars"] == cost["total"]["answer_microdollars"] == 2
    assert cost["total"]["microdollars_per_answer"] == pytest.approx(2 / 3)
    assert {row["group"]: row["prompt_tokens"] for row in cost["data"]} == {None: 0, "scripted": 10}
    quality = talk.get("/v1/insights/quality", group_by="end_user")
    assert [(row["group"], row["refusal_rate"], row["rating_mean"]) for row in quality["data"]] == [
        ("ada", 0.5, 4.0), ("béa", 0.0, None)
    ]  # fmt: skip
    assert (quality["total"]["positive_ratings"], quality["total"]["negative_ratings"]) == (1, 0)
    assert (quality["total"]["refused_no_documents"], quality["total"]["citations"]) == (1, 2)
    by_bot = talk.get("/v1/insights/usage", group_by="bot", bot_id=talk.bot)
    assert [(row["group"], row["name"]) for row in by_bot["data"]] == [(talk.bot, "=Plans")]
    latency = talk.get("/v1/insights/latency", channel="api")
    assert {row["stage"]: row["answers"] for row in latency["total"]} == {"total": 3, "first_token": 2, "retrieve": 3}
    assert latency["relative_error"] < 0.01


def test_answers_are_told_apart_by_key(talk: Talk) -> None:
    key = talk.api.api_key(talk.account, name="shop", scopes=["chat"])
    with talk.api.container.database.transaction(talk.organization_id) as connection:
        ids, now = talk.api.container.ids, talk.api.clock.now()
        add_events(connection, [Event(ids.new(), now, api_key_id=key["id"]), Event(ids.new(), now)])
    rows = talk.get("/v1/insights/usage", group_by="api_key")["data"]
    assert [(row["group"], row["name"], row["answers"]) for row in rows] == [(None, None, 1), (key["id"], "shop", 1)]
    assert talk.get("/v1/insights/usage", api_key_id=key["id"])["total"]["answers"] == 1


def test_sources_questions_and_errors_are_listed(talk: Talk) -> None:
    # Given
    talk.ask("Unknown?", answered=False)
    talk.ask("unknown", answered=False)
    talk.ask("Else?", answered=False)
    with talk.api.container.database.transaction(talk.organization_id) as connection:
        for name, found in (("often.md", 3), ("never.md", None), ("once.md", 1)):
            document = talk.api.container.ids.new()
            connection.execute(
                "INSERT INTO documents (id, organization_id, bot_id, name, source, status, generation, live_generation)"
                " VALUES (%s, app.current_organization(), %s, %s, 'text', 'ready', 1, 1)",
                (document, talk.bot, name),
            )
            if found is not None:
                connection.execute(
                    "INSERT INTO source_stats VALUES (app.current_organization(), %s, %s, 1, %s)",
                    (document, found, talk.api.clock.now()),
                )
        for message in ('Page 7 of "a.pdf" took 3.5 s', 'Page 12 of "b.pdf" took 61 s', "Nothing"):
            connection.execute(
                "INSERT INTO error_logs (id, organization_id, bot_id, service, error_type, message, created_at)"
                " VALUES (%s, app.current_organization(), %s, 'ingestion', 'too_slow', %s, %s)",
                (talk.api.container.ids.new(), talk.bot, message, talk.api.clock.now()),
            )
    # Then documents come by how often they were found, page by page
    pages = talk.pages("/v1/insights/sources", 2)
    assert [[row["document_name"] for row in page] for page in pages] == [["often.md", "once.md"], ["never.md"]]
    assert [row["document_name"] for row in talk.get("/v1/insights/sources", found="never")["data"]] == ["never.md"]
    today = talk.api.clock.now().date().isoformat()
    assert len(talk.get("/v1/insights/sources", since=today, until=today)["data"]) == 2
    # And questions by how often they were asked
    [[first], [second]] = talk.pages("/v1/insights/unanswered", 1, bot_id=talk.bot)
    assert (first["asked_count"], first["question"], second["question"]) == (2, "unknown", "Else?")
    assert (first["bot_name"], first["conversations"]) == ("=Plans", 2)
    assert talk.get("/v1/insights/unanswered", status="resolved")["data"] == []
    # And errors of one cause are one
    groups = [row for page in talk.pages("/v1/insights/errors", 1) for row in page]
    assert {(row["pattern"], row["errors"], row["bots"]) for row in groups} == {
        ("page <number> of <text> took <number> s", 2, 1), ("nothing", 1, 1)
    }  # fmt: skip
    assert {row["message"] for row in groups} >= {"Nothing"}


def test_a_failed_answer_is_an_error_of_its_bot(talk: Talk) -> None:
    with talk.api.container.database.transaction(talk.organization_id) as connection:
        event = Event(talk.api.container.ids.new(), talk.api.clock.now(), reason="unavailable", finish_reason="error")
        add_events(connection, [event])
    quality = talk.get("/v1/insights/quality")["total"]
    assert (quality["failed"], quality["refused"], quality["answers"]) == (1, 0, 1)
    assert quality["refusal_rate"] is None
    assert talk.get("/v1/insights/latency")["total"] == []


def test_tables_are_safe_to_open(talk: Talk) -> None:
    # Given end users who call themselves formulas
    for user in ("=1+1", "@SUM(A1)", 'a,"b"', "\uff1d1"):
        talk.ask(user=user)
    # When
    answer = talk.api.request(
        "GET",
        "/v1/insights/usage",
        token=talk.account.access_token,
        headers={"Accept": "text/csv, application/json;q=0.5"},
        query={"group_by": ["end_user"], "limit": ["3"]},
    )
    # Then
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
    assert answer.text.endswith("\r\n")
    head, *rows = csv.reader(io.StringIO(answer.text, newline=""))
    assert head[:3] == ["end_user", "name", "answers"]
    assert [row[0] for row in rows] == ["'=1+1", "'@SUM(A1)", 'a,"b"']
    # And the next page is named
    following = answer.headers["Link"].partition("<")[2].partition(">")[0]
    path, _, query = following.partition("?")
    pairs = dict(pair.split("=", 1) for pair in query.split("&"))
    rest = talk.request("GET", path, **pairs).text
    assert [row[0] for row in list(csv.reader(io.StringIO(rest, newline="")))[1:]] == ["'\uff1d1"]
    # And every report has a table
    for report in ("cost", "quality", "latency", "sources", "unanswered", "errors"):
        assert "," in talk.request("GET", f"/v1/insights/{report}", format="csv").text.splitlines()[0]


def test_who_sees_which_numbers(talk: Talk, running: RunningApi) -> None:
    # Given a bot of which there are numbers, one that is private, and a viewer
    talk.ask(user="ada")
    private = str(running.bot(talk.account, visibility="private")["id"])
    viewer = joined(running, talk.account)
    limited = running.api_key(talk.account, scopes=["insights:read"], bot_ids=[private])["key"]

    def ask(token: str, report: str = "usage", **query: str) -> Answer:
        return running.request(
            "GET", f"/v1/insights/{report}", token=token, query={name: [value] for name, value in query.items()}
        )

    # Then a viewer has those of bots that they see
    assert ask(viewer.access_token).code == "insufficient_role"
    assert ask(viewer.access_token, bot_id=talk.bot).json["total"]["answers"] == 1
    assert ask(viewer.access_token, bot_id=private).code == "not_found"
    # And a key that is limited to bots has theirs
    assert ask(limited).json["total"]["answers"] == 0
    assert ask(limited, bot_id=talk.bot).code == "not_found"
    assert ask(limited, "sources").json["data"] == ask(limited, "errors").json["data"] == []
    # And what people say and who they are takes the scope for that
    assert ask(limited, "unanswered").code == ask(limited, group_by="end_user").code == "insufficient_scope"
    # And somebody else has nothing of it
    stranger = running.register()
    assert ask(stranger.access_token).json["total"]["answers"] == 0
    assert ask(stranger.access_token, bot_id=talk.bot).code == "not_found"


@pytest.mark.parametrize(
    "query",
    [
        {"since": "2026-01-02", "until": "2026-01-01"},
        {"since": "2024-01-01", "until": "2026-01-01"},
        {"since": "0001-01-01", "until": "0001-01-01"},
        {"until": "0001-01-01"},
        {"until": "9999-12-31", "since": "9999-12-31"},
        {"since": "yesterday"},
        {"since": "2026-03-01T00:00:00+05:00", "until": "2026-03-01"},
        {"since": "1772323200", "until": "2026-03-01"},
        {"group_by": "user"},
        {"group_by": "end_user", "model": "x"},
        {"group_by": "model", "end_user": "ada"},
        {"bot_id": "x"},
        {"model": ""},
        {"end_user": "\x00"},
        {"channel": "A B"},
        {"limit": "0"},
        {"limit": "1001"},
        {"cursor": "x"},
        {"cursor": "Z_8"},
        {"format": "xml"},
    ],
)
def test_bad_questions_are_refused(any_talk: Talk, query: dict[str, str]) -> None:
    answer = any_talk.request("GET", "/v1/insights/usage", **query)
    assert (answer.status, answer.code) == (422, "invalid_request"), answer.text


@pytest.mark.parametrize("report", ["sources", "unanswered", "errors", "latency"])
@pytest.mark.parametrize("query", [{"since": "2024-01-01"}, {"cursor": "_____________________________________w"}])
def test_bad_questions_for_lists_are_refused(any_talk: Talk, report: str, query: dict[str, str]) -> None:
    answer = any_talk.request("GET", f"/v1/insights/{report}", **query)
    assert (answer.status, answer.code) == (422, "invalid_request"), answer.text
