"""Bodies and queries that name somebody else's: another tenant's bot, document, conversation, person, organization.

The fields are found in the OpenAPI document: one without a row here fails the matrix.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.builders.rest_api import Answer
from tests.integration.matrix.document import Operation
from tests.integration.matrix.report import Report
from tests.integration.matrix.rule import NOT_FOUND, VICTIMS_BOTS, Outcome
from tests.integration.matrix.world import NOBODYS, World

OWNER: Final = "other tenant's owner"
QUESTION: Final = {"role": "user", "content": "What?"}
INVALID: Final = Outcome(422, "invalid_request")
NOTHING_FOUND: Final = Outcome(200)

Ids = Mapping[str, str]


@dataclass(frozen=True)
class Loan:
    """A body that names the victim's object in `field`; another tenant's owner sends it about what is their own.

    `in_query`: the names are the query's, and there is no body.
    """

    field: str
    body: Callable[[Ids], dict[str, Any]]
    outcome: Outcome
    in_query: bool = False


def _documents(ids: Ids) -> dict[str, Any]:
    return {"document_ids": [ids["document_id"]]}


def _case(ids: Ids) -> dict[str, Any]:
    return {"question": "What?", "relevant_documents": [{"document_id": ids["document_id"]}]}


def _document_to_erase(ids: Ids) -> dict[str, Any]:
    return {"kind": "document", "bot_id": ids["bot_id"], "document_id": ids["document_id"]}


def _in_the_log() -> tuple[Loan, ...]:
    return (
        Loan("actor_user_id", lambda ids: {"actor_user_id": ids["user_id"]}, NOTHING_FOUND, in_query=True),
        Loan("actor_api_key_id", lambda ids: {"actor_api_key_id": ids["api_key_id"]}, NOTHING_FOUND, in_query=True),
    )


def _in_insights(*fields: str) -> tuple[Loan, ...]:
    loans = {
        "bot_id": Loan("bot_id", lambda ids: {"bot_id": ids["bot_id"]}, NOT_FOUND, in_query=True),
        "api_key_id": Loan("api_key_id", lambda ids: {"api_key_id": ids["api_key_id"]}, NOTHING_FOUND, in_query=True),
    }
    return tuple(loans[field] for field in fields)


LOANS: Final[dict[str, tuple[Loan, ...]]] = {
    "createApiKey": (
        Loan("bot_ids", lambda ids: {"name": "x", "scopes": ["chat"], "bot_ids": [ids["bot_id"]]}, INVALID),
    ),
    "updateApiKey": (Loan("bot_ids", lambda ids: {"bot_ids": [ids["bot_id"]]}, INVALID),),
    "switchOrganization": (
        Loan("organization_id", lambda ids: {"organization_id": ids["organization_id"]}, NOT_FOUND),
    ),
    "transferOrganization": (Loan("user_id", lambda ids: {"user_id": ids["user_id"]}, NOT_FOUND),),
    "publicChat": (
        Loan("conversation_id", lambda ids: {"message": "?", "conversation_id": ids["conversation_id"]}, NOT_FOUND),
    ),
    "chat": (
        Loan("conversation_id", lambda ids: {"message": "?", "conversation_id": ids["conversation_id"]}, NOT_FOUND),
        Loan("document_ids", lambda ids: {"message": "What?", "filter": _documents(ids)}, NOTHING_FOUND),
    ),
    "addEvaluationCases": (Loan("document_id", lambda ids: {"cases": [_case(ids)]}, INVALID),),
    "putEvaluationCase": (Loan("document_id", _case, INVALID),),
    "searchConversations": (
        Loan("bot_id", lambda ids: {"bot_id": ids["bot_id"], "query": "cost"}, NOT_FOUND),
        Loan(
            "conversation_id",
            lambda ids: {"bot_id": ids["own_bot_id"], "conversation_id": ids["conversation_id"]},
            NOTHING_FOUND,
        ),
    ),
    "createChatCompletion": (Loan("model", lambda ids: {"model": ids["model_id"], "messages": [QUESTION]}, NOT_FOUND),),
    "createResponse": (
        Loan("model", lambda ids: {"model": ids["model_id"], "input": "?"}, NOT_FOUND),
        Loan(
            "previous_response_id",
            lambda ids: {"model": ids["own_bot_id"], "input": "?", "previous_response_id": ids["response_id"]},
            NOT_FOUND,
        ),
    ),
    "listDeletions": (
        Loan("bot_id", lambda ids: {"bot_id": ids["bot_id"]}, NOTHING_FOUND, in_query=True),
        Loan("document_id", lambda ids: {"document_id": ids["document_id"]}, NOTHING_FOUND, in_query=True),
    ),
    "listArchiveFiles": (Loan("bot_id", lambda ids: {"bot_id": ids["bot_id"]}, NOTHING_FOUND, in_query=True),),
    "listArchiveRows": (
        Loan(
            "conversation_id",
            lambda ids: {"conversation_id": ids["conversation_id"]},
            NOTHING_FOUND,
            in_query=True,
        ),
    ),
    "createArchiveRestore": (
        Loan("file_ids", lambda ids: {"file_ids": [ids["file_id"]]}, NOT_FOUND),
        Loan("bot_id", lambda ids: {"bot_id": ids["bot_id"], "month": "2026-01"}, NOT_FOUND),
        # Of a conversation that is in no archive nothing is restored.
        Loan("conversation_id", lambda ids: {"conversation_id": ids["conversation_id"]}, Outcome(202)),
    ),
    "requestErasure": (
        Loan("bot_id", lambda ids: {"kind": "bot", "bot_id": ids["bot_id"]}, NOT_FOUND),
        Loan("document_id", _document_to_erase, NOT_FOUND),
    ),
    "startRetentionRun": (Loan("bot_id", lambda ids: {"bot_id": ids["bot_id"]}, NOT_FOUND),),
    "createLegalHold": (
        Loan("bot_id", lambda ids: {"reason": "x", "bot_id": ids["bot_id"]}, NOT_FOUND),
        Loan("conversation_id", lambda ids: {"reason": "x", "conversation_id": ids["conversation_id"]}, NOT_FOUND),
    ),
    "listLegalHolds": (Loan("bot_id", lambda ids: {"bot_id": ids["bot_id"]}, NOTHING_FOUND, in_query=True),),
    "listAuditLog": _in_the_log(),
    "exportAuditLog": _in_the_log(),
    "showUsage": _in_insights("bot_id", "api_key_id"),
    "showCost": _in_insights("bot_id", "api_key_id"),
    "showQuality": _in_insights("bot_id", "api_key_id"),
    "showLatency": _in_insights("bot_id", "api_key_id"),
    "showSources": _in_insights("bot_id"),
    "showUnanswered": _in_insights("bot_id"),
    "showErrors": _in_insights("bot_id"),
    "redriveBot": (Loan("document_ids", _documents, Outcome(202)),),
    "createWebhook": (
        Loan("bot_ids", lambda ids: {"url": "https://93.184.216.34/", "bot_ids": [ids["bot_id"]]}, INVALID),
    ),
    "updateWebhook": (Loan("bot_ids", lambda ids: {"bot_ids": [ids["bot_id"]]}, INVALID),),
    "search": (Loan("document_ids", lambda ids: {"query": "What?", "filter": _documents(ids)}, NOTHING_FOUND),),
}
"""By operation."""


def run_loans(world: World) -> Report:
    """Send each body with each of the victim's objects, and with nobody's: the answers must not differ."""
    report = Report()
    for operation in world.operations:
        for loan in LOANS.get(operation.id, ()):
            nobodys = _ask(world, operation, loan, dict.fromkeys(world.objects["shared"], NOBODYS))
            for target in VICTIMS_BOTS:
                ids, cell = world.objects[target], f"{operation.id} with {loan.field} ({target})"
                answer = _ask(world, operation, loan, ids)
                report.count(operation.id, OWNER, loan.outcome)
                report.expect(cell, answer, loan.outcome)
                report.note(report.leaks, cell, world.told(answer, json.dumps(_named(world, loan, ids))))
                if answer.status >= 400:
                    report.expect_the_same(cell, answer, nobodys, (*_ids(ids), NOBODYS))
            report.note(report.changes, f"{operation.id} with {loan.field}", world.changed(victims=True))
            world.put_back()
    return report


def _ids(objects: Ids) -> list[str]:
    return [value for name, value in objects.items() if name.endswith("_id")]


def _named(world: World, loan: Loan, ids: Ids) -> dict[str, Any]:
    return loan.body({**ids, "own_bot_id": world.own[OWNER]["bot_id"]})


def _ask(world: World, operation: Operation, loan: Loan, ids: Ids) -> Answer:
    own = world.given["below"] | world.own[OWNER]
    path = operation.path.format(**{name: own[name] for name in operation.parameters})
    named = _named(world, loan, ids)
    query = {name: [value] for name, value in named.items()} if loan.in_query else {}
    body = None if loan.in_query else named
    return world.api.request(operation.method, path, body, token=world.credentials[OWNER], query=query)
