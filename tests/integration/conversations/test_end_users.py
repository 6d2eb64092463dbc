"""Statistics per end user."""

import pytest

from tests.integration.conversations.talking import Talk

LIST = "/v1/bots/{bot}/end-users"


def test_what_an_end_user_did_is_counted(talk: Talk) -> None:
    first = talk.ask("What does it cost?", user="ada")
    talk.ask("And a year?", user="ada", conversation_id=first["conversation_id"])
    refused = talk.ask("Who sings?", user="ada", answered=False)
    talk.ask("Price?", user="bob")
    talk.ask("Nobody asks")
    for answer, rating in ((first, 5), (refused, 2)):
        talk.request("PUT", f"/v1/messages/{answer['message_id']}/feedback", {"rating": rating})
    bob, ada = talk.get(LIST)["data"]
    messages = talk.get(f"/v1/conversations/{refused['conversation_id']}/messages")["data"]
    assert (bob["user"], bob["messages"], bob["ratings"], bob["mean_rating"]) == ("bob", 2, 0, None)
    assert ada | {"first_seen_at": 0} == {
        "user": "ada",
        "conversations": 2,
        "messages": 6,
        "questions": 3,
        "answered_share": pytest.approx(2 / 3),
        "first_seen_at": 0,
        "last_seen_at": messages[-1]["created_at"],
        "prompt_tokens": 10,
        "completion_tokens": 4,
        "cost_microdollars": 2,
        "ratings": 2,
        "mean_rating": 3.5,
    }
    assert talk.get(LIST, user="ada")["data"] == [ada]
    assert talk.get(LIST, user="eve")["data"] == []


def test_the_list_goes_page_by_page(talk: Talk) -> None:
    for user in ("ä", "b", "c"):
        talk.ask(user=user)
    talk.ask(user="ä")
    assert [[one["user"] for one in page] for page in talk.pages(LIST, 2)] == [["ä", "c"], ["b"]]


@pytest.mark.parametrize("query", [{"cursor": "x"}, {"limit": "101"}, {"user": ""}, {"user": "\x00"}])
def test_a_list_that_is_asked_for_wrongly_is_refused(any_talk: Talk, query: dict[str, str]) -> None:
    answer = any_talk.request("GET", LIST, **query)
    assert (answer.status, answer.code) == (422, "invalid_request")
