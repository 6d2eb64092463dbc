"""Whether bucket, database and vector store agree with what must have come of each document, counted."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

from tests.e2e.vendors import Vendors
from tests.faults.people import Bot
from tests.faults.workload import Life

DOCUMENTS: Final = """
    SELECT d.bot_id::text, d.id::text, d.s3_key, d.status, d.error_code, d.sha256, d.generation, d.live_generation,
           d.chunk_count, d.vector_cleanup_due IS NOT NULL AS vectors_left,
           (SELECT count(*) FROM chunks c WHERE c.document_id = d.id) AS chunks,
           (SELECT count(*) FROM chunks c WHERE c.document_id = d.id AND c.generation = d.live_generation) AS live,
           (SELECT count(DISTINCT c.ordinal) FROM chunks c
            WHERE c.document_id = d.id AND c.generation = d.live_generation AND c.ordinal < d.chunk_count) AS ordinals,
           (SELECT count(*) FROM lexical_chunks l JOIN chunks c ON c.id = l.chunk_id WHERE c.document_id = d.id)
               AS lexical,
           ARRAY(SELECT c.vector_id FROM chunks c WHERE c.document_id = d.id AND c.generation = d.live_generation)
               AS vector_ids
    FROM documents d WHERE d.bot_id::text = ANY (%s)
"""

WRONG: Final = (
    "lost",
    "should be gone",
    "wrong state",
    "wrong content",
    "doubled or orphaned rows",
    "chunks without all their rows",
    "chunks without lexical entry",
    "vectors missing",
    "vectors orphaned",
    "objects missing",
    "objects orphaned",
    "not found by search",
)
"""What must be zero."""


def verify(
    lives: Sequence[Life], bots: Sequence[Bot], vendors: Vendors, database_url: str, s3: Any, bucket: str
) -> Counter[str]:
    """Compare every document with every store; return the counts, `WRONG` and others."""
    with psycopg.connect(database_url, row_factory=dict_row) as connection:
        rows = connection.execute(DOCUMENTS, ([bot.id for bot in bots],)).fetchall()
    counts: Counter[str] = Counter()
    by_key: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        by_key[row["s3_key"]].append(row)
    expected = {bots[life.bot].key(life.name): life for life in lives}
    for key, life in expected.items():
        counts.update(_document(life, by_key.pop(key, [])))
    counts["doubled or orphaned rows"] += sum(map(len, by_key.values()))
    counts.update(_vectors(rows, bots, vendors))
    counts.update(_objects(expected, bots, s3, bucket))
    counts.update(_searches(lives, bots))
    return counts


def _document(life: Life, rows: Sequence[dict[str, Any]]) -> Iterable[str]:
    if life.body is None:
        yield "should be gone" if rows else "gone as they should"
        return
    if not rows:
        yield "lost"
        return
    if len(rows) > 1:
        yield "doubled or orphaned rows"
    row = rows[0]
    wanted = ("failed", life.error_code) if life.error_code else ("ready", None)
    if (row["status"], row["error_code"]) != wanted:
        yield "wrong state"
        yield f"… {row['status']} {row['error_code']} in place of {' '.join(filter(None, wanted))}"
        return
    yield f"{row['status']} as they should"
    if life.error_code is None and row["sha256"] != life.sha256:
        yield "wrong content"
    if life.error_code is None and not row["chunks"] == row["live"] == row["ordinals"] == row["chunk_count"] > 0:
        yield "chunks without all their rows"
    if row["lexical"] != row["live"]:
        yield "chunks without lexical entry"


def _vectors(rows: Sequence[dict[str, Any]], bots: Sequence[Bot], vendors: Vendors) -> Counter[str]:
    wanted = {vector for row in rows for vector in row["vector_ids"]}
    stored = {
        vector
        for index in vendors.pinecone.indexes.values()
        for bot in bots
        for vector in index.data.written(f"{bot.organization_id}.{bot.id}")
    }
    return Counter(
        {
            "chunks": len(wanted),
            "vectors": len(stored),
            "vectors missing": len(wanted - stored),
            "vectors orphaned": len(stored - wanted),
        }
    )


def _objects(expected: dict[str, Life], bots: Sequence[Bot], s3: Any, bucket: str) -> Counter[str]:
    present: set[str] = set()
    for prefix in {f"{bot.organization_id}/" for bot in bots}:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            present |= {entry["Key"] for entry in page.get("Contents", [])}
    wanted = {key for key, life in expected.items() if life.body is not None}
    return Counter(
        {
            "objects": len(present),
            "objects missing": len(wanted - present),
            "objects orphaned": len(present - wanted),
        }
    )


def _searches(lives: Sequence[Life], bots: Sequence[Bot]) -> Counter[str]:
    """Search each ready document by its own word."""
    counts: Counter[str] = Counter()
    for life in lives:
        if life.body is None or life.error_code:
            continue
        answer = bots[life.bot].call("POST", "/search", {"query": f"shelf boxes {life.token}", "limit": 3})
        found = [hit["document_name"] for hit in answer.json().get("data", []) if life.token in hit["content"]]
        counts["found by search" if life.name in found else "not found by search"] += 1
    return counts
