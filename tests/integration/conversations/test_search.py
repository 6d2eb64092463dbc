"""Search in messages: by words, by meaning, by both, and by what is known of them."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from chatsphere.chat.message_search import queries
from chatsphere.ports.message_vectors import MessageFilter, MessageMatch
from tests.integration.conversations.talking import Talk
from tests.postgres import DatabaseUrls

URL = "/v1/conversations/search"


def contents(found: Any) -> list[str]:
    return [hit["message"]["content"] for hit in found["data"]]


def said(talk: Talk, conversation: str) -> list[str]:
    return [message["id"] for message in talk.get(f"/v1/conversations/{conversation}/messages")["data"]]


def match(talk: Talk, answer: Any, place: int, score: float) -> MessageMatch:
    conversation = answer["conversation_id"]
    return MessageMatch(UUID(said(talk, conversation)[place]), UUID(conversation), score)


def test_a_message_is_found_by_its_words_in_any_form(talk: Talk) -> None:
    answer = talk.ask("Which costs has the Café Überblick?", user="ada", metadata={"plan": "pro"})
    talk.ask("Something else")
    (hit,) = talk.search("cost of cafe uberblick", mode="fulltext")["data"]
    assert hit["message"]["id"] == said(talk, answer["conversation_id"])[0]
    assert hit["conversation"] == {
        "id": answer["conversation_id"],
        "title": "Which costs has the Café Überblick?",
        "user": "ada",
        "channel": "api",
    }
    shown = [hit["snippet"][place["start"] : place["end"]] for place in hit["highlights"]]
    assert (hit["snippet_start"], shown) == (0, ["costs", "Café", "Überblick"])
    assert hit["scores"]["fulltext"] > 0
    assert (hit["scores"]["semantic"], hit["scores"]["fused"]) == (None, None)


def test_all_words_must_be_there_and_stop_words_alone_find_nothing(talk: Talk) -> None:
    talk.ask("The falcon plan")
    assert contents(talk.search("falcon eagle", mode="fulltext")) == []
    assert contents(talk.search("the of and", mode="fulltext")) == []
    assert contents(talk.search("'; DROP TABLE messages; -- falcon", mode="fulltext")) == []


def test_words_of_a_script_without_spaces_are_found(talk: Talk) -> None:
    talk.ask("東京の料金はいくらですか")
    (hit,) = talk.search("料金", mode="fulltext")["data"]
    assert [hit["snippet"][place["start"] : place["end"]] for place in hit["highlights"]] == ["料金"]


def test_by_words_the_newest_come_first_page_by_page(talk: Talk) -> None:
    for n in range(5):
        talk.ask(f"falcon {n}", says="No.")
    first = talk.search("falcon", mode="fulltext", limit=3)
    second = talk.search("falcon", mode="fulltext", limit=3, cursor=first["next_cursor"])
    assert contents(first) == ["falcon 4", "falcon 3", "falcon 2"]
    assert (contents(second), second["has_more"], second["next_cursor"]) == (["falcon 1", "falcon 0"], False, None)


def test_every_condition_is_met(talk: Talk) -> None:
    ada = talk.ask("falcon one", user="ada", metadata={"plan": "pro"}, says="Falcon said.")
    bob = talk.ask("falcon two", user="bob", metadata={"plan": "free"}, says="Falcon said.")
    began = talk.get(f"/v1/conversations/{bob['conversation_id']}")["created_at"]
    conditions: list[tuple[dict[str, Any], list[str]]] = [
        ({"user": "ada"}, ["Falcon said.", "falcon one"]),
        ({"role": "user"}, ["falcon two", "falcon one"]),
        ({"conversation_id": ada["conversation_id"]}, ["Falcon said.", "falcon one"]),
        ({"metadata": {"plan": "pro"}}, ["falcon one"]),
        ({"after": began, "role": "user"}, ["falcon two"]),
        ({"before": began, "role": "user"}, ["falcon one"]),
    ]
    for condition, expected in conditions:
        assert contents(talk.search("falcon", mode="fulltext", **condition)) == expected, condition
    assert contents(talk.search(metadata={"plan": "pro"})) == ["falcon one"]
    assert contents(talk.search(user="bob")) == ["Falcon said.", "falcon two"]
    assert talk.search(user="bob")["data"][0]["scores"] == {"fulltext": None, "semantic": None, "fused": None}


def test_by_meaning_the_memory_decides_and_the_database_says_what_is_there(talk: Talk) -> None:
    price, song = talk.ask("What does it cost?", user="ada"), talk.ask("Who sings?", user="bob")
    gone = MessageMatch(UUID(int=7), UUID(int=8), 0.99)
    talk.memory.found = [gone, match(talk, song, 0, 0.9), match(talk, price, 0, 0.4)]
    found = talk.search("music", mode="semantic", limit=5, role="user", after="2026-01-01T00:00:00Z")
    assert contents(found) == ["Who sings?", "What does it cost?"]
    assert found["data"][0]["scores"] == {"fulltext": None, "semantic": 0.9, "fused": None}
    assert (found["data"][0]["snippet"], found["data"][0]["highlights"]) == ("Who sings?", [])
    bot, query, limit, where = talk.memory.asked[-1]
    assert (str(bot), query, limit) == (talk.bot, "music", 5)
    assert isinstance(where, MessageFilter)
    assert (where.role, where.conversations, where.since is not None) == ("user", None, True)
    # What the memory found is held against every condition, also those that it does not know.
    assert contents(talk.search("music", mode="semantic", user="bob")) == ["Who sings?"]
    assert contents(talk.search("music", mode="semantic", metadata={"plan": "pro"})) == []


def test_by_both_what_both_find_comes_first(talk: Talk) -> None:
    old, worded, meant = talk.ask("falcon price"), talk.ask("falcon song"), talk.ask("eagle price")
    talk.memory.found = [match(talk, meant, 0, 0.8), match(talk, old, 0, 0.7)]
    found = talk.search("falcon", limit=3)
    # Of the same score, the newer first.
    assert contents(found) == ["falcon price", "eagle price", "falcon song"]
    scores = [hit["scores"] for hit in found["data"]]
    assert [score["fused"] for score in scores] == [pytest.approx(2 / 62), pytest.approx(1 / 61), pytest.approx(1 / 61)]
    assert [score["semantic"] for score in scores] == [0.7, 0.8, None]
    assert [score["fulltext"] is None for score in scores] == [False, True, False]
    assert found["next_cursor"] is None
    assert contents(talk.search("falcon", limit=1)) == ["falcon price"]
    assert worded["conversation_id"] == found["data"][2]["conversation"]["id"]


def test_a_rated_answer_is_found_with_its_feedback(talk: Talk) -> None:
    message = talk.ask(says="falcon")["message_id"]
    talk.request("PUT", f"/v1/messages/{message}/feedback", {"rating": 2})
    (hit,) = talk.search("falcon", mode="fulltext")["data"]
    assert [feedback["rating"] for feedback in hit["message"]["feedback"]] == [2]


def test_of_another_tenants_bot_nothing_is_told(talk: Talk) -> None:
    talk.ask("falcon")
    stranger = talk.api.register()
    stranger_of = Talk(talk.api, stranger, talk.bot)
    theirs = stranger_of.client().post(URL, {"bot_id": talk.bot, "query": "falcon"})
    nobodys = stranger_of.client().post(URL, {"bot_id": str(UUID(int=5)), "query": "falcon"})
    assert (theirs.status_code, theirs.json()["code"]) == (404, "not_found")
    assert theirs.json() == nobodys.json()
    with talk.api.container.database.transaction(UUID(stranger.organization_id)) as connection:
        values = dict.fromkeys(("conversation_id", "end_user_id", "role", "metadata", "before"))
        values |= {"bot_id": talk.bot, "query": "falcon", "by_score": False, "limit": 9}
        values |= {"since": "-infinity", "until": "infinity"}
        assert connection.execute(queries.BY_WORDS, values).fetchall() == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"query": ""},
        {"query": "  "},
        {"query": "x" * 8001},
        {"query": "x", "mode": "fuzzy"},
        {"query": "x", "limit": 0},
        {"query": "x", "limit": 101},
        {"query": "x", "cursor": "AAAA", "mode": "fulltext"},
        {"query": "x", "cursor": "AAAAAAAAAAAAAAAAAAAAAA"},
        {"query": "x", "after": "2026-01-01"},
        {"query": "x", "conversation_id": "nonsense"},
        {"query": "x", "metadata": {"deep": {}}},
        {"query": "x", "bot_id": "nonsense"},
        {"query": "x", "unknown": 1},
        {"role": "user"},
    ],
)
def test_what_is_not_valid_is_refused(any_talk: Talk, body: dict[str, Any]) -> None:
    response = any_talk.client().post(URL, {"bot_id": any_talk.bot} | body)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request"), response.text


def test_words_are_found_by_their_index_and_only_in_partitions_of_their_time(
    talk: Talk, database_urls: DatabaseUrls
) -> None:
    conversation = talk.ask("falcon")["conversation_id"]
    now = talk.api.clock.now()
    with psycopg.connect(database_urls.admin) as connection:
        # Another tenant's words, so that there is something that the index spares.
        connection.execute(
            "INSERT INTO messages (id, organization_id, bot_id, conversation_id, role, content, created_at)"
            " SELECT app.uuid_v7(), %s, %s, %s, 'user', 'eagle ' || n, %s FROM generate_series(1, 3000) n",
            (talk.organization_id, talk.bot, conversation, now),
        )
        partition = f"messages_{now:y%Ym%m}"
        connection.execute("SELECT gin_clean_pending_list(%s)", (f"{partition}_words",))
        connection.execute("ANALYZE messages")
        values = dict.fromkeys(("conversation_id", "end_user_id", "role", "metadata", "before"))
        values |= {"bot_id": talk.bot, "query": "falcon", "by_score": False, "limit": 9}
        values |= {"since": now, "until": now + timedelta(microseconds=1)}
        connection.execute("SELECT app.begin_request(%s, NULL)", (talk.organization_id,))
        connection.execute("SET LOCAL ROLE chatsphere_app")
        assert len(connection.execute(queries.BY_WORDS, values).fetchall()) >= 1
        connection.execute("RESET ROLE")
        scans = connection.execute(
            "SELECT c.relname, pg_stat_get_xact_numscans(c.oid) FROM pg_class c"
            " WHERE c.relname LIKE 'messages\\_%%\\_words' AND pg_stat_get_xact_numscans(c.oid) > 0"
        ).fetchall()
        connection.rollback()
    assert scans == [(f"{partition}_words", 1)]
