"""One index's part of Pinecone's Vectors API."""

import base64
from collections.abc import Mapping
from typing import Any

from tests.loopback.pinecone_state import NamespaceLog, Records, Staleness, matches, unit
from tests.loopback.scripted_http import Answer, Request

MAX_RECORDS = 1_000
MAX_UPSERT_BYTES = 2_000_000
MAX_METADATA_BYTES = 40_960
MAX_ID_CHARACTERS = 512
MAX_TOP_K = 10_000
MAX_PAGE = 100


class RefusedError(Exception):
    """The request is invalid."""


class _NoNamespaceError(Exception):
    """A write or a description names a namespace that does not exist."""


def refusal(code: int, message: str) -> Answer:
    """Return an error as the data plane words it."""
    status = {3: 400, 5: 404}[code]
    return Answer(status, {"code": code, "message": message, "details": []})


class VectorIndex:
    """Dense vectors of one dimension, by namespace. `page` makes lists shorter than they were asked to be."""

    def __init__(self, dimension: int, staleness: Staleness) -> None:
        self.dimension = dimension
        self.page = MAX_PAGE
        self._staleness = staleness
        self._namespaces: dict[str, NamespaceLog] = {}

    def written(self, namespace: str) -> set[str]:
        """Return the ids of what was written and not deleted, whether reads show it yet or not."""
        return set(self._log(namespace).written)

    def answer(self, request: Request) -> Answer:
        """Carry a request out.

        Raises:
            RefusedError: it is invalid.
        """
        routes = {
            ("POST", "/vectors/upsert"): self._upsert,
            ("POST", "/query"): self._query,
            ("GET", "/vectors/fetch"): self._fetch,
            ("GET", "/vectors/list"): self._list,
            ("POST", "/vectors/delete"): self._delete,
            ("POST", "/describe_index_stats"): self._stats,
        }
        try:
            if request.path.startswith("/namespaces"):
                return self._namespace_operation(request)
            route = routes.get((request.method, request.path))
            return route(request) if route else refusal(5, "no such route")
        except _NoNamespaceError:
            return refusal(5, "Namespace not found")

    def _upsert(self, request: Request) -> Answer:
        vectors = request.body.get("vectors") or []
        if request.size > MAX_UPSERT_BYTES:
            raise RefusedError(f"message length too large: found {request.size} bytes")
        if not 1 <= len(vectors) <= MAX_RECORDS:
            raise RefusedError(f"between 1 and {MAX_RECORDS} vectors per upsert")
        for vector in vectors:
            self._check_record(vector)
        stored = {
            v["id"]: {"values": v["values"], "unit": unit(v["values"]), "metadata": v.get("metadata", {})}
            for v in vectors
        }
        log = self._log(request.body.get("namespace", ""))
        position = log.write(lambda records: records.update(stored))
        return Answer(200, {"upsertedCount": len(vectors)}, self._headers("x-pinecone-request-lsn", position))

    def _check_record(self, vector: Mapping[str, Any]) -> None:
        name = vector.get("id", "")
        if not name or len(name) > MAX_ID_CHARACTERS or not name.isascii():
            raise RefusedError("Vector ID must be ASCII and of 1 to 512 characters")
        self._check_values(vector.get("values", []))
        metadata = vector.get("metadata", {})
        if len(str(metadata)) > MAX_METADATA_BYTES:
            raise RefusedError("metadata size exceeds the limit of 40960 bytes per vector")
        for key, value in metadata.items():
            listed = isinstance(value, list) and all(isinstance(item, str) for item in value)
            if not listed and not isinstance(value, str | int | float):
                raise RefusedError(f"Metadata value must be a string, number, boolean or list of strings, got {key}")

    def _check_values(self, values: list[float]) -> None:
        if len(values) != self.dimension:
            raise RefusedError(
                f"Vector dimension {len(values)} does not match the dimension of the index {self.dimension}"
            )
        if not any(values):
            raise RefusedError("Dense vectors must contain at least one non-zero value")

    def _query(self, request: Request) -> Answer:
        body = request.body
        self._check_values(body.get("vector") or [])
        if not 1 <= body.get("topK", 0) <= MAX_TOP_K:
            raise RefusedError(f"topK must be between 1 and {MAX_TOP_K}")
        seen = self._log(body.get("namespace", "")).read("search")
        asked = unit(body["vector"])
        scored = [
            (float(record["unit"] @ asked), name, record)
            for name, record in self._filtered(seen.records, body.get("filter")).items()
        ]
        scored.sort(key=lambda item: (-item[0], item[1]))
        found = [
            {"id": name, "score": score}
            | ({"values": record["values"]} if body.get("includeValues") else {"values": []})
            | ({"metadata": record["metadata"]} if body.get("includeMetadata") else {})
            for score, name, record in scored[: body["topK"]]
        ]
        answered = {"matches": found, "namespace": body.get("namespace", ""), "usage": {"readUnits": 1}}
        return Answer(200, answered, self._headers("x-pinecone-max-indexed-lsn", seen.position))

    def _fetch(self, request: Request) -> Answer:
        namespace = request.query.get("namespace", "")
        records = self._log(namespace).read("listing").records
        wanted = request.repeated.get("ids", [])
        found = {
            name: {"id": name, "values": record["values"], "metadata": record["metadata"]}
            for name, record in records.items()
            if name in wanted
        }
        return Answer(200, {"vectors": found, "namespace": namespace, "usage": {"readUnits": 1}})

    def _list(self, request: Request) -> Answer:
        namespace, prefix = request.query.get("namespace", ""), request.query.get("prefix", "")
        limit = int(request.query.get("limit", MAX_PAGE))
        if not 1 <= limit <= MAX_PAGE:
            raise RefusedError(f"limit must be between 1 and {MAX_PAGE}")
        token = request.query.get("paginationToken", "")
        after = base64.urlsafe_b64decode(token).decode() if token else ""
        records = self._log(namespace).read("listing").records
        names = sorted(name for name in records if name.startswith(prefix) and name > after)
        page = names[: min(limit, self.page)]
        answered: dict[str, Any] = {"vectors": [{"id": name} for name in page], "namespace": namespace}
        if len(names) > len(page):
            answered["pagination"] = {"next": base64.urlsafe_b64encode(page[-1].encode()).decode()}
        return Answer(200, answered | {"usage": {"readUnits": 1}})

    def _delete(self, request: Request) -> Answer:
        body = request.body
        ids, condition, everything = body.get("ids"), body.get("filter"), body.get("deleteAll", False)
        if sum((bool(ids), bool(condition), bool(everything))) != 1:
            raise RefusedError("exactly one of ids, filter and deleteAll")
        if ids and len(ids) > MAX_RECORDS:
            raise RefusedError(f"at most {MAX_RECORDS} ids per delete")
        log = self._existing(body.get("namespace", ""))

        def change(records: Records) -> None:
            gone = ids or list(self._filtered(records, condition))
            for name in gone:
                records.pop(name, None)

        return Answer(200, {}, self._headers("x-pinecone-request-lsn", log.write(change)))

    def _stats(self, _request: Request) -> Answer:
        counts = {name: len(log.read("listing").records) for name, log in self._namespaces.items() if log.exists}
        answered = {
            "namespaces": {name: {"vectorCount": count} for name, count in counts.items()},
            "dimension": self.dimension,
            "indexFullness": 0,
            "totalVectorCount": sum(counts.values()),
            "metric": "cosine",
            "vectorType": "dense",
        }
        return Answer(200, answered)

    def _namespace_operation(self, request: Request) -> Answer:
        name = request.path.removeprefix("/namespaces").strip("/")
        if not name:
            names = [n for n, log in self._namespaces.items() if log.exists]
            return Answer(200, {"namespaces": [self._described(n) for n in names], "total_count": len(names)})
        if request.method == "DELETE":
            self._existing(name).write(None)
            return Answer(200, {})
        return Answer(200, self._described(name))

    def _described(self, name: str) -> dict[str, Any]:
        seen = self._log(name).read("listing")
        if seen.position is None:
            raise _NoNamespaceError
        # A 64-bit integer is text in protobuf's JSON.
        return {"name": name, "record_count": str(len(seen.records))}

    def _headers(self, name: str, position: int | None) -> dict[str, str]:
        return {name: str(position)} if position is not None and self._staleness.positions else {}

    def _filtered(self, records: Records, condition: Mapping[str, Any] | None) -> Records:
        if not condition:
            return records
        try:
            matches({}, condition)  # a wrong filter is refused, also where there is nothing to be filtered
            return {name: record for name, record in records.items() if matches(record["metadata"], condition)}
        except ValueError as error:
            raise RefusedError(str(error)) from None

    def _log(self, name: str) -> NamespaceLog:
        return self._namespaces.setdefault(name, NamespaceLog(self._staleness))

    def _existing(self, name: str) -> NamespaceLog:
        log = self._log(name)
        if not log.exists:
            raise _NoNamespaceError
        return log
