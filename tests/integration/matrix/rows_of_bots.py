"""Rows of bots, documents, conversations and chat."""

from typing import Any, Final

from tests.integration.matrix.building import CALIBRATION
from tests.integration.matrix.row import ACCEPTED, CREATED, DONE, OK, Row
from tests.integration.matrix.rule import NOT_FOUND, Caller, Outcome, Target
from tests.integration.matrix.world import World


def _no_limited_key(caller: Caller, _: Target) -> Outcome | None:
    """A key for some bots cannot add to them."""
    return Outcome(403, "forbidden") if caller.limited_to else None


def _only_public_bots(_: Caller, target: Target) -> Outcome | None:
    """A visitor's credential, if there is one, is not looked at."""
    return None if target == "public" else NOT_FOUND


def _only_who_sees_the_private_bot(caller: Caller, _: Target) -> Outcome | None:
    """The deletion is of a document of the private bot, by its owner."""
    sees = caller.granted is not None or caller.role in ("admin", "owner")
    return None if sees and caller.limited_to is None else NOT_FOUND


def _only_who_sees_the_shared_bot(caller: Caller, _: Target) -> Outcome | None:
    """The body names the shared bot."""
    return NOT_FOUND if caller.tenant == "other" or caller.limited_to == "another" else None


def _search_in_the_shared_bot(world: World) -> dict[str, str]:
    return {"bot_id": world.objects["shared"]["bot_id"], "query": "cost", "mode": "fulltext"}


def _complete_with_the_shared_bot(world: World) -> dict[str, Any]:
    question = {"role": "user", "content": "What does it cost?"}
    return {"model": world.objects["shared"]["model_id"], "messages": [question]}


def _respond_with_the_shared_bot(world: World) -> dict[str, Any]:
    return {"model": world.objects["shared"]["bot_id"], "input": "What does it cost?"}


def _only_who_has_calibrated(caller: Caller, _: Target) -> Outcome | None:
    """Each organization has its own, and only the victim's has one."""
    return NOT_FOUND if caller.tenant == "other" else None


CASE: Final = {"question": "What does it cost?", "expected_answers": ["49 EUR"]}


BOTS: Final = {
    "createBot": Row(CREATED, {"name": "New"}, finer=_no_limited_key),
    "listBots": Row(OK),
    "getBot": Row(OK),
    "updateBot": Row(OK, {"name": "Renamed"}),
    "deleteBot": Row(ACCEPTED),
    "publishBot": Row(OK),
    "unpublishBot": Row(OK),
    "archiveBot": Row(OK),
    "restoreBot": Row(OK),
    "rollBackBot": Row(OK, {"version": 1}),
    "listBotVersions": Row(OK),
    "getBotVersion": Row(OK),
    "diffBotVersions": Row(OK),
    "listBotMembers": Row(OK),
    "putBotMember": Row(OK, {"permission": "edit"}),
    "deleteBotMember": Row(DONE),
    "getPublicBot": Row(OK, finer=_only_public_bots),
    "publicChat": Row(OK, {"message": "What does it cost?"}, finer=_only_public_bots),
    "createDocument": Row(ACCEPTED, {"name": "new.txt", "text": "A new text."}),
    "listDocuments": Row(OK),
    "getDocument": Row(OK),
    "updateDocument": Row(OK, {"tags": ["new"]}),
    "getDocumentSource": Row(OK),
    "deleteDocument": Row(ACCEPTED),
    "listDeletions": Row(OK),
    "getDeletion": Row(OK, finer=_only_who_sees_the_private_bot),
    "listChunks": Row(OK),
    "listDocumentHistory": Row(OK),
    "getIngestion": Row(OK),
    "streamIngestion": Row(OK, query={"until": "idle"}),
    "listEmbeddingModels": Row(OK),
    "putCalibration": Row(OK, CALIBRATION | {"threshold": 0.3}),
    "deleteCalibration": Row(DONE, finer=_only_who_has_calibrated),
    "getCache": Row(OK),
    "clearCache": Row(DONE),
    "createEvaluationSet": Row(CREATED, {"name": "New"}),
    "listEvaluationSets": Row(OK),
    "getEvaluationSet": Row(OK),
    "updateEvaluationSet": Row(OK, {"name": "Renamed"}),
    "deleteEvaluationSet": Row(DONE),
    "addEvaluationCases": Row(CREATED, {"cases": [CASE]}),
    "listEvaluationCases": Row(OK),
    "putEvaluationCase": Row(OK, CASE),
    "deleteEvaluationCase": Row(DONE),
    "importFeedback": Row(OK),
    "startTrainingRun": Row(ACCEPTED, {"embedding_model": "all-minilm-l6-v2-int8"}),
    "listTrainingRuns": Row(OK),
    "getTrainingRun": Row(OK),
    "cancelTrainingRun": Row(Outcome(409, "training_ended")),
    "reprocessDocument": Row(ACCEPTED),
    "redriveBot": Row(ACCEPTED, {}),
    "reconcileBot": Row(ACCEPTED, {}),
    "listReconciliations": Row(OK),
    "getReconciliation": Row(OK),
    "createSource": Row(ACCEPTED, {"kind": "crawl", "url": "https://new.example.com/"}),
    "listSources": Row(OK),
    "getSource": Row(OK),
    "updateSource": Row(OK, {"max_pages": 7}),
    "deleteSource": Row(DONE),
    "listSourcePages": Row(OK),
    "syncSource": Row(ACCEPTED),
    "createUploadCredentials": Row(CREATED),
    "listConversations": Row(OK),
    "getConversation": Row(OK),
    "deleteConversation": Row(DONE),
    "listMessages": Row(OK),
    "updateConversation": Row(OK, {"title": "Another"}),
    "searchConversations": Row(OK, _search_in_the_shared_bot, finer=_only_who_sees_the_shared_bot),
    "createChatCompletion": Row(OK, _complete_with_the_shared_bot, finer=_only_who_sees_the_shared_bot),
    "createResponse": Row(OK, _respond_with_the_shared_bot, finer=_only_who_sees_the_shared_bot),
    "getResponse": Row(OK),
    "listModels": Row(OK),
    "getModel": Row(OK),
    "getMessage": Row(OK),
    "putFeedback": Row(OK, {"rating": 5}),
    "deleteFeedback": Row(DONE),
    "listFeedback": Row(OK),
    "listEndUsers": Row(OK),
    "listUnansweredQuestions": Row(OK),
    "updateUnansweredQuestion": Row(OK, {"status": "resolved"}),
    "chat": Row(OK, {"message": "What does it cost?"}),
    "stopAnswer": Row(Outcome(409, "answer_not_under_way")),
    "streamAnswer": Row(OK),
    "search": Row(OK, {"query": "cost"}),
}
