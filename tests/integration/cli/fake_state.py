"""What the fake API knows: bots, documents, tokens, and the faults that a test has asked for."""

import threading
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

Json = dict[str, Any]

API_KEY = "cs_live_test"
STEPS = ("registered", "extracting", "embedding", "ready")


@dataclass
class Fault:
    """One answer that comes instead of the route's own."""

    method: str
    path: str
    status: int
    body: Json
    headers: dict[str, str]


@dataclass
class Request:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Json


@dataclass
class State:
    """A small working server side. A document takes one step each time it is looked at."""

    bots: dict[str, Json] = field(default_factory=dict)
    documents: dict[str, dict[str, Json]] = field(default_factory=dict)
    deletions: list[Json] = field(default_factory=list)
    erasures: list[Json] = field(default_factory=list)
    published_keys: Json = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    uploads: dict[str, str] = field(default_factory=dict)
    access_tokens: set[str] = field(default_factory=set)
    refresh_tokens: set[str] = field(default_factory=set)
    passwords: dict[str, str] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    chat: list[tuple[str, Json]] = field(default_factory=list)
    deaf_versions: set[int] = field(default_factory=set)
    evaluation_sets: list[Json] = field(default_factory=list)
    evaluation_cases: dict[str, list[Json]] = field(default_factory=dict)
    feedback_pages: list[Json] = field(default_factory=list)
    calibrations: dict[str, Json] = field(default_factory=dict)
    key_scopes: list[str] | None = None
    lies: bool = False
    ready_at_once: bool = False
    s3_endpoint: str | None = None
    ready: bool = True
    filters_by_status: bool = True
    streams_ingestion: bool = False
    steps_when_streamed: bool = False
    end_streams_after: int | None = None
    histories: dict[str, list[Json]] = field(default_factory=dict)
    training_runs: dict[str, list[Json]] = field(default_factory=dict)
    without_budget: set[str] = field(default_factory=set)
    reconciliations: dict[str, Json] = field(default_factory=dict)
    sources: dict[str, Json] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    false_digest: str | None = None
    transfers_end: str = "done"
    looks: int = 0
    expires_in: float = 600
    lock: threading.RLock = field(default_factory=threading.RLock)

    def add_run(self, bot_id: str, model: str, estimate: Json | None = None) -> Json:
        """Begin to embed a bot anew; it does one batch each time it is looked at."""
        run: Json = {"id": str(uuid4()), "bot_id": bot_id, "kind": "reembed", "status": "running", "error_code": None}
        run |= {"embedding_model": model, "done_batches": 0, "total_batches": 2, "token_count": 0}
        run |= {
            "cost_microdollars": 0,
            "estimate": estimate,
            "memory_left": (estimate or {}).get("memory_messages") or 0,
        }
        self.training_runs.setdefault(bot_id, []).insert(0, run)
        return run

    def fail(self, method: str, path: str, status: int, times: int = 1, code: str = "", **headers: str) -> None:
        """Answer the next requests to a path with a problem."""
        body = {"status": status, "code": code or f"code_{status}", "detail": f"detail {status}", "request_id": "r-1"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.faults += [Fault(method, path, status, body, named) for _ in range(times)]

    def take_fault(self, method: str, path: str) -> Fault | None:
        """Return the next fault of a path, once."""
        with self.lock:
            for fault in self.faults:
                if (fault.method, fault.path) == (method, path):
                    self.faults.remove(fault)
                    return fault
        return None

    def count(self, method: str, path: str) -> int:
        """Return how often a path was asked for."""
        return sum((request.method, request.path) == (method, path) for request in self.requests)

    def note_deletion(self, bot_id: str, document_id: str | None = None) -> Json:
        """Make the receipt of a deletion."""
        receipt: Json = {
            "id": str(uuid4()),
            "bot_id": bot_id,
            "document_id": document_id,
            "status": "done",
            "requested_at": "2026-01-01T00:00:00Z",
            "removed": {"chunks": 2},
            "left_over": {"chunks": 0},
        }
        self.deletions.append(receipt)
        return receipt

    def add_bot(self, name: str, **fields: Any) -> Json:
        """Make a bot."""
        bot = {"id": str(uuid4()), "name": name, "status": "draft", "created_at": "2026-01-02T03:04:05Z", **fields}
        self.bots[bot["id"]] = bot
        self.documents[bot["id"]] = {}
        return bot

    def add_document(self, bot_id: str, name: str, **fields: Any) -> Json:
        """Make or find the document of a name."""
        with self.lock:
            for document in self.documents[bot_id].values():
                if document["name"] == name:
                    return document
            document = {"id": str(uuid4()), "name": name, "status": "registered", "error_code": None, **fields}
            self.documents[bot_id][document["id"]] = document
            return document

    def receive(self, bot_id: str, document_id: str, text: str, **fields: Any) -> None:
        """Take a document's content: from here on it is ingested."""
        with self.lock:
            self.texts[document_id] = text
            status = "ready" if self.ready_at_once else "registered"
            self.documents[bot_id][document_id].update(fields, status=status, received=True)

    def step(self, document: Json, *, streamed: bool = False) -> Json:
        """Take a document one step further; one whose name says so fails."""
        with self.lock:
            if self.steps_when_streamed and not streamed:
                return dict(document)
            if document["status"] in STEPS[:-1] and document.get("received"):
                document["status"] = STEPS[STEPS.index(document["status"]) + 1]
                if "stuck" in document["name"]:
                    document["status"] = "extracting"
                elif "broken" in document["name"]:
                    document.update(status="failed", error_code="corrupt", error_message="The file is damaged.")
                elif document["status"] == "ready":
                    document.update(chunk_count=2, page_count=1)
            return dict(document)

    def open_session(self) -> Json:
        """Return new tokens."""
        access, refresh = f"access-{uuid4()}", f"refresh-{uuid4()}"
        self.access_tokens.add(access)
        self.refresh_tokens.add(refresh)
        return {
            "access_token": access,
            "refresh_token": refresh,
            "token_type": "Bearer",
            "expires_in": self.expires_in,
        }
