"""A loopback server that speaks the routes of the API which the command line uses."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from email.message import Message
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, cast
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

from tests.background_server import in_background
from tests.integration.cli.fake_state import API_KEY, STEPS, Json, Request, State

Answer = tuple[int, Json]
PUBLIC = ("/v1/health/", "/v1/auth/", "/store", "/.well-known/")
NOT_FOUND: Answer = (404, {"status": 404, "code": "not_found", "detail": "There is no such thing.", "request_id": "r"})


class FakeApi(ThreadingHTTPServer):
    """The server and its state."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.state = State()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def running() -> Iterator[FakeApi]:
    """Serve until the block ends."""
    with in_background(FakeApi()) as server:
        yield server


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body leave in two writes, which Nagle's algorithm and delayed acknowledgements make 40 ms.
    disable_nagle_algorithm = True
    server: FakeApi

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        pass

    def handle_any(self) -> None:
        url = urlsplit(self.path)
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        multipart = (self.headers.get("Content-Type") or "").startswith("multipart/")
        body = {} if multipart or not raw else json.loads(raw)
        state = self.server.state
        request = Request(self.command, url.path, dict(parse_qsl(url.query)), dict(self.headers.items()), body)
        with state.lock:
            state.requests.append(request)
        if fault := state.take_fault(self.command, url.path):
            self.answer(fault.status, fault.body, fault.headers)
        elif not url.path.startswith(PUBLIC) and not self.authorized():
            self.answer(401, {"status": 401, "code": "token_expired", "detail": "The token has expired."})
        elif self.command == "GET" and url.path.startswith("/store/"):
            self.give_file(state.files[url.path.removeprefix("/store/")])
        elif multipart:
            self.take_form(raw)
        elif url.path.endswith("/chat") and body.get("stream"):
            self.stream(state.chat)
        elif url.path.endswith("/ingestion/stream") and state.streams_ingestion:
            self.stream(ingestion_events(state, request))
        else:
            self.answer(*_route(state, request, self.server.url))

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = handle_any

    def authorized(self) -> bool:
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        return token == API_KEY or token in self.server.state.access_tokens

    def answer(self, status: int, body: Json | None, headers: dict[str, str] | None = None) -> None:
        content = b"" if status == 204 else json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def give_file(self, content: bytes) -> None:
        """Give a file to whoever has the link."""
        assert "Authorization" not in self.headers
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def take_form(self, raw: bytes) -> None:
        """Take a presigned POST, as a store does: fields first, the file last, no credential of the API."""
        parts = _form(self.headers["Content-Type"], raw)
        names = [part.get_param("name", header="content-disposition") for part in parts]
        assert names == ["key", "policy", "file"]
        assert "Authorization" not in self.headers
        key = str(parts[0].get_payload())
        if "refused" in key:
            self.answer(403, {"x": "<Error><Code>EntityTooLarge</Code></Error>"})
            return
        content = cast(bytes, parts[2].get_payload(decode=True))
        if key.startswith("imports/"):
            self.server.state.files[key] = content
            self.answer(204, None)
            return
        bot_id, document_id = self.server.state.uploads[key].split("/")
        digest = hashlib.sha256(content).hexdigest()
        self.server.state.receive(bot_id, document_id, content.decode(), sha256=digest, size=len(content))
        self.answer(204, None)

    def stream(self, events: Iterable[tuple[str, Json]]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b": still here\n\n")
        for name, data in events:
            place = f"id: {data['id']}-{name}\n" if "id" in data else ""
            self.wfile.write(f"{place}event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode())
            self.wfile.flush()
        self.close_connection = True


def ingestion_events(state: State, request: Request) -> Iterator[tuple[str, Json]]:
    """Tell of each document's next step until none is under way, or the stream is to end after so many events."""
    documents = state.documents[request.path.split("/")[3]]
    open_ones = [document for document in documents.values() if document["status"] in STEPS[:-1]]
    told = 0
    if "Last-Event-Id" not in {name.title() for name in request.headers}:
        totals = {status: sum(d["status"] == status for d in documents.values()) for status in STEPS}
        yield "snapshot", {"id": "first", "under_way": [dict(d) for d in open_ones], "totals": totals}
    while open_ones:
        for document in open_ones:
            if told == state.end_streams_after:
                yield "reconnect", {"id": "place", "last_event_id": "place"}
                return
            yield (
                "document",
                {"stage": "extract", "progress": None, "retryable": False, **state.step(document, streamed=True)},
            )
            told += 1
        open_ones = [document for document in open_ones if document["status"] in STEPS[:-1]]
    yield "idle", {"id": "idle", "totals": {}}


def _form(content_type: str, raw: bytes) -> list["Message[str, str]"]:
    message = BytesParser().parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + raw)
    return cast("list[Message[str, str]]", message.get_payload())


class _Routes:
    """The routes by method and pattern; each takes the state, the request, and what the pattern caught."""

    table: ClassVar[list[tuple[str, re.Pattern[str], Callable[..., Answer]]]] = []

    @classmethod
    def on(cls, route: str) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
        method, path = route.split()
        pattern = re.compile(re.sub(r"\{\w+\}", "([^/]+)", path))

        def register(function: Callable[..., Answer]) -> Callable[..., Answer]:
            cls.table.append((method, pattern, function))
            return function

        return register


def _route(state: State, request: Request, url: str) -> Answer:
    for method, pattern, function in _Routes.table:
        if method == request.method and (match := pattern.fullmatch(request.path)):
            with state.lock:
                try:
                    return function(state, request, url, *match.groups())
                except KeyError:
                    return NOT_FOUND
    return NOT_FOUND


def _page(items: list[Json], query: dict[str, str]) -> Answer:
    start, limit = int(query.get("cursor", 0)), int(query.get("limit", 20))
    more = start + limit < len(items)
    cursor = str(start + limit) if more else None
    return 200, {"data": items[start : start + limit], "has_more": more, "next_cursor": cursor}


@_Routes.on("GET /v1/health/live")
def live(state: State, request: Request, url: str) -> Answer:
    return 200, {"status": "ok", "version": "9.9"}


@_Routes.on("GET /v1/health/ready")
def ready(state: State, request: Request, url: str) -> Answer:
    return (200, {"status": "ok"}) if state.ready else (503, {"code": "unavailable", "detail": "No database."})


@_Routes.on("GET /v1/me")
def me(state: State, request: Request, url: str) -> Answer:
    key = {} if state.key_scopes is None else {"api_key": {"scopes": state.key_scopes}}
    return 200, {"user": {"email": "ada@example.com"}, "organization": {"name": "Engines"}, **key}


@_Routes.on("POST /v1/auth/register")
def register(state: State, request: Request, url: str) -> Answer:
    if request.body["email"] in state.passwords:
        return 409, {"status": 409, "code": "email_taken", "detail": "An account with this mail address exists."}
    state.passwords[request.body["email"]] = request.body["password"]
    return 201, state.open_session()


@_Routes.on("POST /v1/auth/login")
def login(state: State, request: Request, url: str) -> Answer:
    if state.passwords.get(request.body["email"]) != request.body["password"]:
        return 401, {"status": 401, "code": "invalid_login", "detail": "The mail address or the password is wrong"}
    if request.body["email"] in state.codes:
        return 200, {"mfa_required": True, "mfa_token": request.body["email"], "expires_in": 300}
    return 200, state.open_session()


@_Routes.on("POST /v1/auth/mfa/verify")
def verify_code(state: State, request: Request, url: str) -> Answer:
    if state.codes.get(request.body["mfa_token"]) != request.body["code"]:
        return 401, {"status": 401, "code": "invalid_code", "detail": "The code is wrong or was used before"}
    return 200, state.open_session()


@_Routes.on("POST /v1/auth/refresh")
def refresh(state: State, request: Request, url: str) -> Answer:
    if request.body["refresh_token"] not in state.refresh_tokens:
        return 401, {"status": 401, "code": "unauthorized", "detail": "The refresh token was used up."}
    state.refresh_tokens.remove(request.body["refresh_token"])
    return 200, state.open_session()


@_Routes.on("POST /v1/auth/logout")
def logout(state: State, request: Request, url: str) -> Answer:
    state.refresh_tokens.discard(request.body["refresh_token"])
    return 204, {}


@_Routes.on("GET /v1/bots")
def list_bots(state: State, request: Request, url: str) -> Answer:
    return _page(list(state.bots.values()), request.query)


@_Routes.on("POST /v1/bots")
def create_bot(state: State, request: Request, url: str) -> Answer:
    return 201, state.add_bot(**request.body)


@_Routes.on("GET /v1/bots/{bot_id}")
def get_bot(state: State, request: Request, url: str, bot_id: str) -> Answer:
    return 200, state.bots[bot_id]


@_Routes.on("PATCH /v1/bots/{bot_id}")
def update_bot(state: State, request: Request, url: str, bot_id: str) -> Answer:
    state.bots[bot_id].update(request.body)
    return 200, state.bots[bot_id]


@_Routes.on("DELETE /v1/bots/{bot_id}")
def delete_bot(state: State, request: Request, url: str, bot_id: str) -> Answer:
    del state.bots[bot_id]
    return 202, {"deletion": state.note_deletion(bot_id)}


@_Routes.on("GET /v1/bots/{bot_id}/documents")
def list_documents(state: State, request: Request, url: str, bot_id: str) -> Answer:
    wanted = request.query.get("status") if state.filters_by_status else None
    listed = [document for document in state.documents[bot_id].values() if wanted in (None, document["status"])]
    status, page = _page([dict(document) for document in listed], request.query)
    for document in page["data"]:
        state.step(state.documents[bot_id][document["id"]])
    return status, page


@_Routes.on("POST /v1/bots/{bot_id}/documents")
def add_document(state: State, request: Request, url: str, bot_id: str) -> Answer:
    if "url" in request.body:
        name = request.body.get("name") or request.body["url"].partition("://")[2]
        return 202, {"document": dict(state.add_document(bot_id, name)), "outcome": "created"}
    document = state.add_document(bot_id, request.body["name"])
    if "text" in request.body:
        state.receive(bot_id, document["id"], request.body["text"])
        return 202, {"document": dict(document)}
    key = f"{bot_id}/{document['name']}"
    state.uploads[key] = f"{bot_id}/{document['id']}"
    upload = {"url": f"{url}/store", "fields": {"key": key, "policy": "p"}}
    return 201, {"document": dict(document), "upload": upload}


@_Routes.on("POST /v1/bots/{bot_id}/sources")
def add_source(state: State, request: Request, url: str, bot_id: str) -> Answer:
    pages = {"waiting": 0, "fetched": 2, "failed": 1, "skipped": 0, "gone": 0}
    source = {"id": str(uuid4()), "status": "synced", "pages": pages, **request.body}
    state.sources[source["id"]] = source
    return 202, {"source": source}


@_Routes.on("GET /v1/bots/{bot_id}/sources")
def list_sources(state: State, request: Request, url: str, bot_id: str) -> Answer:
    return _page(list(state.sources.values()), request.query)


@_Routes.on("GET /v1/bots/{bot_id}/sources/{source_id}")
def get_source(state: State, request: Request, url: str, bot_id: str, source_id: str) -> Answer:
    return 200, state.sources[source_id]


@_Routes.on("PATCH /v1/bots/{bot_id}/sources/{source_id}")
def update_source(state: State, request: Request, url: str, bot_id: str, source_id: str) -> Answer:
    state.sources[source_id].update(request.body)
    return 200, state.sources[source_id]


@_Routes.on("DELETE /v1/bots/{bot_id}/sources/{source_id}")
def delete_source(state: State, request: Request, url: str, bot_id: str, source_id: str) -> Answer:
    del state.sources[source_id]
    return 204, {}


@_Routes.on("POST /v1/bots/{bot_id}/sources/{source_id}/sync")
def sync_source(state: State, request: Request, url: str, bot_id: str, source_id: str) -> Answer:
    state.sources[source_id]["status"] = "syncing"
    return 202, {"source": state.sources[source_id]}


@_Routes.on("GET /v1/bots/{bot_id}/sources/{source_id}/pages")
def list_source_pages(state: State, request: Request, url: str, bot_id: str, source_id: str) -> Answer:
    root = state.sources[source_id]["url"]
    page = {"url": root, "status": "failed", "error_code": "url_failed", "is_excluded": False, "fetched_at": None}
    return _page([page], request.query)


@_Routes.on("POST /v1/bots/{bot_id}/upload-credentials")
def lend(state: State, request: Request, url: str, bot_id: str) -> Answer:
    keys = {"access_key_id": "AKIA", "secret_access_key": "it's secret", "session_token": "a+/=", "expires_at": "2026"}
    place = {"bucket": "uploads", "prefix": f"o/{state.bots[bot_id]['id']}/", "region": "eu-central-1"}
    return 201, {**place, "endpoint": state.s3_endpoint, "credentials": keys}


@_Routes.on("GET /v1/bots/{bot_id}/documents/{document_id}")
def get_document(state: State, request: Request, url: str, bot_id: str, document_id: str) -> Answer:
    return 200, state.step(state.documents[bot_id][document_id])


@_Routes.on("DELETE /v1/bots/{bot_id}/documents/{document_id}")
def delete_document(state: State, request: Request, url: str, bot_id: str, document_id: str) -> Answer:
    del state.documents[bot_id][document_id]
    return 202, {"deletion": state.note_deletion(bot_id, document_id)}


@_Routes.on("POST /v1/erasures")
def request_erasure(state: State, request: Request, url: str) -> Answer:
    made = {"id": str(uuid4()), "status": "pending", "requested_at": "2026-01-01T00:00:00Z", "receipt": None}
    state.erasures.insert(0, {"bot_id": None, **made, **request.body})
    return 202, {"erasure": state.erasures[0], "receipt_token": "cse_shown-once"}


@_Routes.on("GET /v1/erasures")
def list_erasures(state: State, request: Request, url: str) -> Answer:
    return _page([one for one in state.erasures if request.query.get("kind") in (None, one["kind"])], request.query)


@_Routes.on("GET /v1/erasures/{erasure_id}")
def get_erasure(state: State, request: Request, url: str, erasure_id: str) -> Answer:
    return 200, next(one for one in state.erasures if one["id"] == erasure_id)


@_Routes.on("GET /.well-known/jwks.json")
def get_keys(state: State, request: Request, url: str) -> Answer:
    return 200, state.published_keys


@_Routes.on("GET /v1/deletions")
def list_deletions(state: State, request: Request, url: str) -> Answer:
    return _page(
        [one for one in state.deletions if request.query.get("bot_id") in (None, one["bot_id"])], request.query
    )


@_Routes.on("GET /v1/deletions/{deletion_id}")
def get_deletion(state: State, request: Request, url: str, deletion_id: str) -> Answer:
    return 200, next(one for one in state.deletions if one["id"] == deletion_id)


@_Routes.on("POST /v1/bots/{bot_id}/documents/{document_id}/reprocess")
def reprocess(state: State, request: Request, url: str, bot_id: str, document_id: str) -> Answer:
    state.documents[bot_id][document_id].update(status="registered")
    return 202, {"document": dict(state.documents[bot_id][document_id])}


@_Routes.on("POST /v1/bots/{bot_id}/redrive")
def redrive(state: State, request: Request, url: str, bot_id: str) -> Answer:
    wanted = request.body.get("error_codes")
    failed = [
        document
        for document in state.documents[bot_id].values()
        if document["status"] == "failed" and (document.get("error_code") in wanted if wanted else True)
    ]
    for document in failed[:1]:
        document["status"] = "registered"
    return 202, {"redriven": len(failed[:1]), "skipped": [], "has_more": len(failed) > 1}


@_Routes.on("POST /v1/bots/{bot_id}/reconcile")
def reconcile(state: State, request: Request, url: str, bot_id: str) -> Answer:
    running: Json = {"id": "0192", "status": "running", "looked_at": {}, "found": {}, "repaired": {}, "remaining": None}
    return 202, {"reconciliation": running | {"dry_run": request.body["dry_run"]}}


@_Routes.on("GET /v1/bots/{bot_id}/reconciliations/{reconciliation_id}")
def get_reconciliation(state: State, request: Request, url: str, bot_id: str, reconciliation_id: str) -> Answer:
    return 200, {"id": reconciliation_id, **state.reconciliations[bot_id]}


@_Routes.on("GET /v1/bots/{bot_id}/documents/{document_id}/chunks")
def list_chunks(state: State, request: Request, url: str, bot_id: str, document_id: str) -> Answer:
    chunk = {
        "id": f"chunk of {document_id}",
        "ordinal": 0,
        "page_start": 1,
        "page_end": 2,
        "char_start": 0,
        "char_end": len(state.texts[document_id]),
        "heading_path": ["Top", "Sub"],
    }
    return _page([{**chunk, "content": state.texts[document_id]}], request.query)


@_Routes.on("GET /v1/bots/{bot_id}/documents/{document_id}/history")
def list_history(state: State, request: Request, url: str, bot_id: str, document_id: str) -> Answer:
    return _page(state.histories[document_id], request.query)


@_Routes.on("GET /v1/bots/{bot_id}/training-runs")
def list_training_runs(state: State, request: Request, url: str, bot_id: str) -> Answer:
    kind = request.query.get("kind")
    return _page([run for run in state.training_runs.get(bot_id, []) if kind in (None, run["kind"])], request.query)


@_Routes.on("GET /v1/embedding-models")
def list_embedding_models(state: State, request: Request, url: str) -> Answer:
    price = {"dimensions": 384, "microdollars_per_million_tokens": 200_000, "is_default": True}
    return 200, {"data": [{"name": "other", **price}]}


@_Routes.on("POST /v1/bots/{bot_id}/training-runs")
def start_training_run(state: State, request: Request, url: str, bot_id: str) -> Answer:
    if request.body["embedding_model"] == "gone":
        return 422, {"code": "embedding_model_unavailable", "detail": "There is no such model here."}
    counts = {"documents": 1, "chunks": 64, "tokens": 5_000_000, "batches": 2, "cost_microdollars": 1_000_000}
    estimate = counts | {"from_model": "own", "to_model": request.body["embedding_model"]}
    memory = 3 if request.body.get("include_memory") else None
    estimate |= {"memory_messages": memory, "memory_tokens": memory}
    if request.body.get("dry_run"):
        return 200, {"estimate": estimate, "training_run": None}
    if bot_id in state.without_budget:
        return 403, {"code": "budget_exhausted", "detail": "The organization's budget does not hold it."}
    return 202, {"estimate": estimate, "training_run": state.add_run(bot_id, request.body["embedding_model"], estimate)}


@_Routes.on("GET /v1/bots/{bot_id}/training-runs/{run_id}")
def get_training_run(state: State, request: Request, url: str, bot_id: str, run_id: str) -> Answer:
    (run,) = [each for each in state.training_runs[bot_id] if each["id"] == run_id]
    run["done_batches"] += 1
    run["memory_left"] = max(0, run["memory_left"] - 1)
    if run["error_code"]:
        run["status"] = "failed"
    elif run["done_batches"] == run["total_batches"]:
        run["status"] = "succeeded"
    return 200, run


@_Routes.on("POST /v1/bots/{bot_id}/chat")
def chat(state: State, request: Request, url: str, bot_id: str) -> Answer:
    if not state.chat:
        return 200, quoted(state, request, bot_id)
    answer: Json = {"conversation_id": "c-1", "answer": "", "citations": []}
    for name, data in state.chat:
        if name == "delta":
            answer["answer"] += data["text"]
        elif name == "citation":
            answer["citations"].append(data)
        elif name == "done":
            answer |= data
    return 200, answer


@_Routes.on("POST /v1/bots/{bot_id}/search")
def search(state: State, request: Request, url: str, bot_id: str) -> Answer:
    """Rank by shared words; `dense` ranks the other way round, so that the modes can be told apart."""
    words = set(request.body["query"].split()) if hears(state, request) else set()
    scored = [(len(words & set(state.texts[key].split())), key) for key in state.documents[bot_id]]
    found = sorted((pair for pair in scored if pair[0]), reverse=request.body.get("mode") != "dense")
    hits = [
        {
            "document_id": key,
            "document_name": state.documents[bot_id][key]["name"],
            "content": state.texts[key],
            "page_start": 3,
            "page_end": 3,
            "score": float(score),
        }
        for score, key in found
        for _ in range(2)  # every document has two passages
    ]
    coverage = found[0][0] / len(words) if found else 0.0
    explanation = {"features": {"dense": coverage, "coverage": coverage} if found else None}
    return 200, {"data": hits[: request.body.get("limit", 8)], "confidence": 0.5, "explanation": explanation}


def hears(state: State, request: Request) -> bool:
    """Return whether the version that is asked finds anything at all."""
    return request.body.get("bot_version") not in state.deaf_versions


def quoted(state: State, request: Request, bot_id: str) -> Json:
    """Answer with the whole text that shares most words with the question, or refuse if it shares few."""
    words = set(request.body["message"].split()) if hears(state, request) else {"?"}
    scored = [(len(words & set(state.texts[key].split())) / len(words), key) for key in state.documents[bot_id]]
    confidence, document = max(scored, default=(0.0, ""))
    answer: Json = {"conversation_id": f"of {request.body['message']}", "confidence": confidence, "reason": None}
    if confidence < 0.5:
        return answer | {"answer": "I don't know.", "answerable": False, "citations": []}
    text = state.texts[document]
    citation: Json = {"document_id": document, "chunk_id": f"chunk of {document}", "heading": None, "page": 1}
    citation |= {"char_start": 0, "char_end": len(text), "answer_start": 0, "answer_end": len(text)}
    return answer | {
        "answer": text,
        "answerable": True,
        "citations": [citation | {"quote": "Nobody said so." if state.lies else text}],
    }


@_Routes.on("DELETE /v1/conversations/{conversation_id}")
def delete_conversation(state: State, request: Request, url: str, conversation_id: str) -> Answer:
    return 204, {}


@_Routes.on("POST /v1/bots/{bot_id}/publish")
def publish(state: State, request: Request, url: str, bot_id: str) -> Answer:
    state.bots[bot_id]["visibility"] = "public"
    return 200, state.bots[bot_id]


@_Routes.on("GET /v1/bots/{bot_id}/evaluation-sets")
def list_evaluation_sets(state: State, request: Request, url: str, bot_id: str) -> Answer:
    return _page(state.evaluation_sets, request.query)


@_Routes.on("POST /v1/bots/{bot_id}/evaluation-sets")
def create_evaluation_set(state: State, request: Request, url: str, bot_id: str) -> Answer:
    made = {"id": str(uuid4()), "name": request.body["name"]}
    state.evaluation_sets.append(made)
    return 201, made


@_Routes.on("GET /v1/bots/{bot_id}/evaluation-sets/{set_id}/cases")
def list_evaluation_cases(state: State, request: Request, url: str, bot_id: str, set_id: str) -> Answer:
    return _page(state.evaluation_cases[set_id], request.query)


@_Routes.on("POST /v1/bots/{bot_id}/evaluation-sets/{set_id}/import-feedback")
def import_feedback(state: State, request: Request, url: str, bot_id: str, set_id: str) -> Answer:
    return 200, state.feedback_pages.pop(0)


@_Routes.on("PUT /v1/embedding-models/{model}/calibration")
def put_calibration(state: State, request: Request, url: str, model: str) -> Answer:
    state.calibrations[model] = request.body
    return 200, request.body


@_Routes.on("POST /v1/bots/{bot_id}/exports")
def create_export(state: State, request: Request, url: str, bot_id: str) -> Answer:
    state.files["bot"] = json.dumps(request.body).encode()
    return 202, _export(state, url, "queued")


@_Routes.on("GET /v1/bots/{bot_id}/exports/{export_id}")
def get_export(state: State, request: Request, url: str, bot_id: str, export_id: str) -> Answer:
    state.looks += 1
    return 200, _export(state, url, "running" if state.looks % 2 else state.transfers_end)


def _export(state: State, url: str, status: str) -> Json:
    content = state.files["bot"]
    digest = state.false_digest or hashlib.sha256(content).hexdigest()
    file = {"size": len(content), "sha256": digest, "download_url": f"{url}/store/bot"}
    return file | _transfer(status)


def _transfer(status: str) -> Json:
    failed = {"error_code": "invalid_file", "error_message": "It is none."} if status == "failed" else {}
    counts = {"documents": 2, "chunks": 3}
    return {"id": "t", "status": status, "documents_done": 1, "documents_total": 2, "counts": counts} | failed


@_Routes.on("POST /v1/bot-imports")
def create_import(state: State, request: Request, url: str) -> Answer:
    upload = {"url": f"{url}/store", "fields": {"key": "imports/t", "policy": "p"}}
    return 201, {"bot_import": _transfer("awaiting_upload"), "upload": upload}


@_Routes.on("POST /v1/bot-imports/{import_id}/start")
def start_import(state: State, request: Request, url: str, import_id: str) -> Answer:
    assert f"imports/{import_id}" in state.files
    return 202, _transfer("queued")


@_Routes.on("GET /v1/bot-imports/{import_id}")
def get_import(state: State, request: Request, url: str, import_id: str) -> Answer:
    state.looks += 1
    status = "importing" if state.looks % 2 else state.transfers_end
    return 200, _transfer(status) | {"bot_id": "b", "vectors": "kept", "embedding_model": "own"}
