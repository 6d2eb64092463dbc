"""What endpoints are told of: each type with its fields and an example. Triggers write the same (migration 0023)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

VERSION: Final = 1
"""Of the payload. A field may be added within a version; what is taken away or changed makes the next one."""


class EventType(StrEnum):
    """What happened."""

    DOCUMENT_READY = "document.ready"
    DOCUMENT_FAILED = "document.failed"
    BOT_TRAINED = "bot.trained"
    CONVERSATION_STARTED = "conversation.started"
    CONVERSATION_ENDED = "conversation.ended"
    FEEDBACK_RECEIVED = "feedback.received"
    QUOTA_THRESHOLD = "quota.threshold"
    BUDGET_THRESHOLD = "budget.threshold"
    RETENTION_RUN_DONE = "retention_run.done"
    ERASURE_DONE = "erasure.done"
    WEBHOOK_TEST = "webhook.test"


@dataclass(frozen=True, slots=True)
class Description:
    """A type, as the API describes it. `fields`: of `data`, each with what it means and an example of it."""

    type: EventType
    description: str
    fields: Mapping[str, tuple[str, Any]]

    @property
    def example(self) -> dict[str, Any]:
        """Return a body as an endpoint gets it."""
        data = {name: example for name, (_, example) in self.fields.items()}
        return {"type": self.type.value, "version": VERSION, "timestamp": "2026-03-01T09:30:00.000000Z", "data": data}


_ORGANIZATION: Final = {"organization_id": ("The organization.", "01970000-0000-7000-8000-00000000000a")}
_BOT: Final = {"bot_id": ("The bot.", "01970000-0000-7000-8000-00000000000b")}
_DOCUMENT: Final = {
    **_BOT,
    "document_id": ("The document. Its name is not told: read it with `GET`.", "01970000-0000-7000-8000-00000000000c"),
    "source": ("Where it came from: `upload`, `s3`, `url`, `text`.", "upload"),
}
_CONVERSATION: Final = {
    **_BOT,
    "conversation_id": ("The conversation. Who and what is not told.", "01970000-0000-7000-8000-00000000000d"),
}
_CHANNEL: Final = {"channel": ("How it is held, such as `api` or `web`.", "api")}
_LIMIT: Final = {
    "period": ("The first day of the calendar month (UTC).", "2026-03-01"),
    "api_key_id": ("The key whose budget it is; null: the organization's.", None),
    "used": ("How much is used. What answers under way have set aside does not count.", 812),
    "allowed": ("The limit.", 1000),
    "percent": ("Which mark was reached: 80 or 100. Each once for each period and limit.", 80),
}

_DESCRIBED: Final = (
    (
        EventType.DOCUMENT_READY,
        "A document, or its new content, can be searched. Also told where the content turned out to be the same.",
        _DOCUMENT
        | {
            "generation": ("Which content readers see: grows with each new one.", 1),
            "page_count": ("Pages, where it has any.", 12),
            "chunk_count": ("Passages.", 48),
        },
    ),
    (
        EventType.DOCUMENT_FAILED,
        "A document could not be read or embedded. What readers saw before, they still see.",
        _DOCUMENT
        | {
            "stage": ("Where it failed.", "extract"),
            "error_code": ("Why, as the document's `error_code`.", "encrypted_document"),
            "retryable": ("Whether trying again may help.", False),
        },
    ),
    (
        EventType.BOT_TRAINED,
        "All documents that were under way are worked off, or a re-embedding has ended. Not told of cancelled ones.",
        _BOT
        | {
            "training_run_id": ("The training run.", "01970000-0000-7000-8000-00000000000e"),
            "kind": ("`ingest` or `reembed`.", "ingest"),
            "status": ("`succeeded` or `failed`.", "succeeded"),
            "document_count": ("How many documents it was about.", 3),
            "failed_count": ("How many of them failed.", 0),
        },
    ),
    (EventType.CONVERSATION_STARTED, "The first answer of a conversation was asked for.", _CONVERSATION | _CHANNEL),
    (EventType.CONVERSATION_ENDED, "A conversation was ended by somebody.", _CONVERSATION | _CHANNEL),
    (
        EventType.FEEDBACK_RECEIVED,
        "Somebody rated an answer, or changed the rating or its words.",
        _CONVERSATION
        | {
            "message_id": ("The answer.", "01970000-0000-7000-8000-00000000000f"),
            "rating": ("1 (worst) to 5 (best).", 5),
        },
    ),
    (
        EventType.QUOTA_THRESHOLD,
        "80 or 100 percent of the plan's messages of this month are used.",
        {"unit": ("`messages`.", "messages")} | _LIMIT,
    ),
    (
        EventType.BUDGET_THRESHOLD,
        "80 or 100 percent of a monthly budget are used. An answer that does not fit any more is refused before that.",
        {"unit": ("`tokens` or `microdollars`.", "tokens")} | _LIMIT,
    ),
    (
        EventType.RETENTION_RUN_DONE,
        "A retention run, or a dry run, has ended.",
        {
            "bot_id": ("The bot; null: all of them.", None),
            "retention_run_id": ("The run: see `GET /v1/retention/runs`.", "01970000-0000-7000-8000-000000000010"),
            "dry_run": ("Whether it only listed.", False),
            "status": ("`done` or `failed`.", "done"),
            "error_code": ("Why it failed.", None),
        },
    ),
    (
        EventType.ERASURE_DONE,
        "An erasure has ended with its receipt. Of an organization's own erasure nobody is left to be told.",
        {
            "erasure_id": ("The erasure: see `GET /v1/erasures`.", "01970000-0000-7000-8000-000000000011"),
            "kind": ("`end_user`, `document` or `bot`.", "end_user"),
        },
    ),
    (
        EventType.WEBHOOK_TEST,
        "Somebody asked for a test. It reaches the endpoint that was named, whatever types that one asked for.",
        {"webhook_id": ("The endpoint.", "01970000-0000-7000-8000-000000000012")},
    ),
)  # fmt: skip

EVENT_TYPES: Final = tuple(Description(name, text, _ORGANIZATION | fields) for name, text, fields in _DESCRIBED)
