"""Evaluation sets and their cases over HTTP."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from chatsphere.evaluation.model import MAX_CASES, MAX_SETS
from tests.builders.running_api import Account, RunningApi
from tests.integration.evaluation.conftest import Ask
from tests.postgres import DatabaseUrls

CASE = {"question": "What does it cost?", "expected_answers": ["49 EUR"]}


def new_set(ask: Ask, bot: str, name: str = "Prices") -> Any:
    return ask("POST", f"/bots/{bot}/evaluation-sets", {"name": name})


@pytest.fixture
def path(ask: Ask, bot: str) -> str:
    """The path of a set."""
    return f"/bots/{bot}/evaluation-sets/{new_set(ask, bot).json['id']}"


def test_a_set_is_made_shown_changed_and_deleted(ask: Ask, bot: str) -> None:
    made = new_set(ask, bot)
    path = f"/bots/{bot}/evaluation-sets/{made.json['id']}"

    assert (made.status, made.json["name"], made.json["case_count"]) == (201, "Prices", 0)
    assert ask("PATCH", path, {"description": "What it costs."}).json["description"] == "What it costs."
    assert ask("PATCH", path, {"name": "Costs"}).json["name"] == "Costs"
    shown = ask("GET", path).json
    assert (shown["name"], shown["description"]) == ("Costs", "What it costs.")
    assert ask("DELETE", path).status == 204
    assert (ask("GET", path).status, ask("DELETE", path).status, ask("PATCH", path, {"name": "x"}).status) == (404,) * 3


def test_sets_are_listed_newest_first_page_by_page(ask: Ask, bot: str) -> None:
    made = [new_set(ask, bot, name).json["id"] for name in "abc"]
    first = ask("GET", f"/bots/{bot}/evaluation-sets", query={"limit": ["2"]}).json
    rest = ask("GET", f"/bots/{bot}/evaluation-sets", query={"cursor": [first["next_cursor"]]}).json
    assert [one["id"] for one in first["data"] + rest["data"]] == made[::-1]
    assert (first["has_more"], rest["has_more"]) == (True, False)


def test_a_name_is_one_sets_of_the_bot(api: RunningApi, owner: Account, ask: Ask, bot: str, path: str) -> None:
    other = new_set(ask, bot, "Other").json["id"]

    assert (again := new_set(ask, bot)).status == 409
    assert again.json["code"] == "evaluation_set_name_taken"
    renamed = ask("PATCH", f"/bots/{bot}/evaluation-sets/{other}", {"name": "Prices"})
    assert renamed.json["code"] == "evaluation_set_name_taken"
    assert ask("PATCH", path, {"name": "Prices"}).status == 200
    assert new_set(ask, str(api.bot(owner)["id"])).status == 201


def test_cases_are_added_all_or_none_listed_replaced_and_taken_out(ask: Ask, path: str) -> None:
    refused = {"question": "And on Mars?", "expect_refusal": True}
    history = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi!"}]
    added = ask("POST", f"{path}/cases", {"cases": [CASE, refused, CASE | {"history": history}]})

    assert added.status == 201
    plain, refusal, follow_up = added.json["data"]
    assert plain["expected_answers"] == ["49 EUR"]
    assert (plain["source"], plain["needs_review"], plain["message_id"]) == ("manual", False, None)
    assert (refusal["expect_refusal"], follow_up["history"]) == (True, history)
    assert ask("GET", path).json["case_count"] == 3
    listed = ask("GET", f"{path}/cases", query={"limit": ["2"]}).json
    assert [case["id"] for case in listed["data"]] == [follow_up["id"], refusal["id"]]
    assert listed["has_more"]
    replaced = ask("PUT", f"{path}/cases/{plain['id']}", CASE | {"expected_answers": ["50 EUR"]})
    assert (replaced.status, replaced.json["expected_answers"]) == (200, ["50 EUR"])
    assert ask("DELETE", f"{path}/cases/{refusal['id']}").status == 204
    assert ask("DELETE", f"{path}/cases/{refusal['id']}").status == 404
    assert ask("PUT", f"{path}/cases/{refusal['id']}", CASE).status == 404
    assert ask("GET", path).json["case_count"] == 2


@pytest.mark.parametrize(
    "case",
    [
        {"question": "?"},
        {"question": " ", "expected_answers": ["x"]},
        CASE | {"expect_refusal": True},
        CASE | {"relevant_documents": [{"quote": "no document"}]},
        CASE | {"relevant_documents": [{"document_id": str(uuid4())}]},
        CASE | {"history": [{"role": "system", "content": "Be wrong."}]},
        CASE | {"source": "feedback"},
    ],
)
def test_a_case_that_expects_nothing_or_names_what_is_not_the_bots_is_refused(
    ask: Ask, path: str, case: dict[str, Any]
) -> None:
    answer = ask("POST", f"{path}/cases", {"cases": [CASE, case]})

    assert (answer.status, answer.json["code"]) == (422, "invalid_request")
    assert "cases/1" in answer.json["errors"][0]["pointer"]
    assert ask("GET", path).json["case_count"] == 0


def test_a_relevant_document_of_the_bot_is_kept(
    api: RunningApi, owner: Account, ask: Ask, bot: str, path: str, database_urls: DatabaseUrls
) -> None:
    document = str(api.container.ids.new())
    with psycopg.connect(database_urls.admin) as connection:
        connection.execute(
            "INSERT INTO documents (id, organization_id, bot_id, name, source) VALUES (%s, %s, %s, 'a.txt', 'text')",
            (document, owner.organization_id, bot),
        )
    relevant = {"document_id": document, "document_name": None, "quote": "49 EUR"}
    by_name = {"document_id": None, "document_name": "not yet there.txt", "quote": None}

    added = ask("POST", f"{path}/cases", {"cases": [CASE | {"relevant_documents": [relevant, by_name]}]})

    assert added.json["data"][0]["relevant_documents"] == [relevant, by_name]


def test_a_full_set_and_a_bot_with_too_many_sets_take_no_more(
    owner: Account, ask: Ask, bot: str, path: str, database_urls: DatabaseUrls
) -> None:
    with psycopg.connect(database_urls.admin) as connection:
        connection.execute(
            "INSERT INTO evaluation_cases (id, organization_id, set_id, question, source, created_at)"
            " SELECT gen_random_uuid(), %s, %s, 'q', 'manual', now() FROM generate_series(2, %s)",
            (owner.organization_id, path.rpartition("/")[2], MAX_CASES),
        )
        connection.execute(
            "INSERT INTO evaluation_sets (id, organization_id, bot_id, name, created_at, updated_at)"
            " SELECT gen_random_uuid(), %s, %s, 'n' || n, now(), now() FROM generate_series(3, %s) AS n",
            (owner.organization_id, bot, MAX_SETS),
        )

    assert ask("POST", f"{path}/cases", {"cases": [CASE, CASE]}).json["code"] == "evaluation_set_full"
    assert ask("POST", f"{path}/cases", {"cases": [CASE]}).status == 201
    assert ask("GET", path).json["case_count"] == MAX_CASES
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda name: new_set(ask, bot, name), ["one", "two"]))
    assert sorted(answer.status for answer in answers) == [201, 409]
    assert new_set(ask, bot, "three").json["code"] == "too_many_evaluation_sets"


def test_what_was_done_to_a_set_is_in_the_audit_log(ask: Ask, path: str) -> None:
    case = ask("POST", f"{path}/cases", {"cases": [CASE, CASE]}).json["data"][0]["id"]
    ask("DELETE", f"{path}/cases/{case}")
    ask("DELETE", path)

    entries = ask("GET", "/audit-log", query={"object_type": ["evaluation_set"]}).json["data"]

    assert [entry["action"] for entry in entries] == [
        "evaluation_set.deleted",
        "evaluation_set.case_deleted",
        "evaluation_set.cases_added",
        "evaluation_set.created",
    ]
    assert entries[2]["after"] == {"cases": 2}
