"""The list of a bot's conversations: counts, previews, filters, orders."""

import json
from typing import Any
from uuid import UUID

import psycopg
import pytest

from chatsphere.chat import conversation_queries
from tests.integration.conversations.talking import Talk
from tests.postgres import DatabaseUrls

LIST = "/v1/bots/{bot}/conversations"


def ids(page: Any) -> list[str]:
    return [conversation["id"] for conversation in page["data"]]


def test_each_conversation_comes_with_its_count_and_how_its_last_message_begins(talk: Talk) -> None:
    first = talk.ask("What does it cost?")
    talk.ask("And a year?", conversation_id=first["conversation_id"], says="Line\n\n" + "word " * 100)
    one = talk.get(LIST)["data"][0]
    messages = talk.get(f"/v1/conversations/{one['id']}/messages")["data"]
    assert (one["message_count"], one["last_message_at"]) == (4, messages[-1]["created_at"])
    assert one["preview"].startswith("Line word word")
    assert (len(one["preview"]) <= 200, one["preview"][-5:]) == (True, "word…")
    assert talk.get(f"/v1/conversations/{one['id']}") == one


def test_the_recently_used_come_first_when_asked_for_page_by_page(talk: Talk) -> None:
    made = [talk.ask(f"Question {n}")["conversation_id"] for n in range(4)]
    talk.ask("Again", conversation_id=made[0])
    assert [[c["id"] for c in page] for page in talk.pages(LIST, 2)] == [[made[3], made[2]], [made[1], made[0]]]
    recent = [[c["id"] for c in page] for page in talk.pages(LIST, 2, order="recent")]
    assert recent == [[made[0], made[3]], [made[2], made[1]]]


def test_filters_are_all_of_them_met(talk: Talk) -> None:
    pro = talk.ask(user="ada", metadata={"plan": "pro", "seats": 3})["conversation_id"]
    free = talk.ask(user="ada", metadata={"plan": "free"})["conversation_id"]
    other = talk.ask(user="bob", metadata={"plan": "pro", "seats": "3"})["conversation_id"]
    began = talk.get(f"/v1/conversations/{free}")["created_at"]
    assert ids(talk.get(LIST, user="ada")) == [free, pro]
    assert ids(talk.get(LIST, metadata='{"plan": "pro"}')) == [other, pro]
    # A number is not the text that looks like it.
    assert ids(talk.get(LIST, metadata='{"plan": "pro", "seats": 3}')) == [pro]
    assert ids(talk.get(LIST, metadata='{"plan": "pro"}', user="bob")) == [other]
    assert ids(talk.get(LIST, created_after=began)) == [other, free]
    assert ids(talk.get(LIST, created_before=began)) == [pro]
    assert ids(talk.get(LIST, channel="public")) == []
    assert len(ids(talk.get(LIST, channel="api", metadata="{}"))) == 3


def test_what_was_put_away_is_listed_apart(talk: Talk) -> None:
    kept, away = talk.ask()["conversation_id"], talk.ask()["conversation_id"]
    talk.request("PATCH", f"/v1/conversations/{away}", {"archived": True})
    assert (ids(talk.get(LIST)), ids(talk.get(LIST, archived="true"))) == ([kept], [away])


@pytest.mark.parametrize(
    "query",
    [
        {"metadata": "plan=pro"},
        {"metadata": '["plan"]'},
        {"metadata": '{"plan": {"deep": 1}}'},
        {"metadata": '{"plan": "\\u0000"}'},
        {"metadata": '{"n": 1e999}'},
        {"metadata": json.dumps({str(n): n for n in range(17)})},
        {"created_after": "2026-01-01T00:00:00"},
        {"created_before": "yesterday"},
        {"order": "oldest"},
        {"archived": "perhaps"},
        {"channel": "API!"},
        {"user": ""},
        {"user": "\x00"},
        {"cursor": "AAAA"},
        {"cursor": "_____________"},
    ],
)
def test_what_is_not_valid_is_refused(any_talk: Talk, query: dict[str, str]) -> None:
    answer = any_talk.request("GET", LIST, **query)
    assert (answer.status, answer.code) == (422, "invalid_request"), answer.text


def plan_nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", ()) for node in plan_nodes(child))]


def test_metadata_are_found_by_their_index(talk: Talk, database_urls: DatabaseUrls) -> None:
    values = dict.fromkeys(("end_user_id", "channel", "since", "until", "archived", "last_used", "last_id"))
    values |= {"bot_id": talk.bot, "metadata": '{"ticket": "T-77"}', "by_use": False, "limit": 21}
    plainly = "SELECT id FROM conversations WHERE bot_id = %(bot_id)s AND metadata @> %(metadata)s::jsonb"
    with psycopg.connect(database_urls.admin) as connection:
        connection.execute(
            "INSERT INTO conversations (id, organization_id, bot_id, metadata)"
            " SELECT app.uuid_v7(), %s, %s, jsonb_build_object('ticket', 'T-' || n) FROM generate_series(1, 4000) n",
            (talk.organization_id, talk.bot),
        )
        connection.execute("SELECT gin_clean_pending_list('conversations_metadata')")
        connection.execute("ANALYZE conversations")
        connection.execute("SELECT app.begin_request(%s, NULL)", (talk.organization_id,))
        scans = []
        for query in (plainly, conversation_queries.PAGE):
            connection.execute("SET LOCAL ROLE chatsphere_app")
            assert len(connection.execute(query, values).fetchall()) == 1
            connection.execute("RESET ROLE")
            used = connection.execute("SELECT pg_stat_get_xact_numscans('conversations_metadata'::regclass)")
            scans.append((used.fetchone() or (None,))[0])
        connection.rollback()
    # Under row level security alone no index is used for what is not leakproof.
    assert scans == [0, 1]


def test_only_the_partitions_of_a_conversations_time_are_opened(talk: Talk, database_urls: DatabaseUrls) -> None:
    conversation = UUID(talk.ask()["conversation_id"])
    with psycopg.connect(database_urls.admin) as connection:
        connection.execute("SELECT app.begin_request(%s, NULL)", (talk.organization_id,))
        explain = "EXPLAIN (ANALYZE, FORMAT JSON) " + conversation_queries.CONVERSATION
        row = connection.execute(explain, {"conversation_id": conversation}).fetchone()
        connection.rollback()
    assert row is not None
    opened = {
        node["Relation Name"]
        for node in plan_nodes(row[0][0]["Plan"])
        if str(node.get("Relation Name", "")).startswith("messages") and node["Actual Loops"]
    }
    # The month, at its end also the next, and the default one, which holds what no other does.
    assert 1 <= len(opened) <= 3
    assert opened - {"messages_default"}
