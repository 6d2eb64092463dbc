"""Whole trees killed without warning: nothing is lost, nothing is doubled. For workers see `tests/faults`."""

import json
import subprocess
from pathlib import Path

import psutil
import psycopg
import pytest

from infra.local.instance import start, stop, wait_until_ready
from tests.builders.pdf import make_pdf
from tests.e2e.client import Client, s3_client
from tests.e2e.handbook import PAGES, QUESTIONS
from tests.waiting import wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e-faults")]


def _kill(processes: list[psutil.Process]) -> int:
    killed = 0
    for process in processes:
        try:
            process.kill()
            killed += 1
        except psutil.NoSuchProcess:
            continue
    return killed


def _counts(database_url: str, bot_id: str) -> dict[str, int]:
    query = """
        SELECT (SELECT count(*) FROM documents WHERE bot_id = %(bot)s) AS documents,
               (SELECT count(DISTINCT document_id) FROM chunks WHERE bot_id = %(bot)s) AS documents_with_chunks,
               (SELECT count(*) FROM chunks WHERE bot_id = %(bot)s) AS chunks,
               (SELECT coalesce(sum(chunk_count), 0) FROM documents WHERE bot_id = %(bot)s) AS expected_chunks,
               (SELECT count(*) FROM chunk_vectors WHERE bot_id = %(bot)s) AS vectors
    """
    with psycopg.connect(database_url, row_factory=psycopg.rows.dict_row) as connection:
        row = connection.execute(query, {"bot": bot_id}).fetchone()
    assert row is not None
    return {name: int(value) for name, value in row.items()}


def test_a_killed_tree_comes_back_with_everything_and_a_stopped_one_leaves_nothing(home: Path) -> None:
    process = start(home)
    endpoints = wait_until_ready(process, home)
    client = Client.registered(endpoints.api)
    bot_id = client.bot()["id"]
    handbook = make_pdf(PAGES)
    document_id = client.upload(bot_id, "handbook.pdf", handbook, "application/pdf")
    wait_for(lambda: client.document(bot_id, document_id)["status"] == "ready", what="the handbook")
    before = client.chat(bot_id, QUESTIONS[0][0])
    # More documents, most of them unfinished when everything dies.
    unfinished = [client.text(bot_id, f"note-{n}.txt", f"Note {n} lies in drawer {n * 3}.") for n in range(10)]
    tree = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    _kill(tree)
    process.wait()
    psutil.wait_procs(tree, timeout=30)

    process = start(home)
    try:
        endpoints = wait_until_ready(process, home)
        # The port may be another one, the token still holds.
        again = Client(endpoints.api, client.http.headers["Authorization"].removeprefix("Bearer "))
        assert again.document(bot_id, document_id)["status"] == "ready"
        after = again.chat(bot_id, QUESTIONS[0][0])
        assert (after["answer"], after["citations"][0]["page"]) == (before["answer"], before["citations"][0]["page"])
        messages = again.http.get(f"/v1/conversations/{before['conversation_id']}/messages").json()["data"]
        assert messages[1]["content"] == before["answer"]
        s3 = s3_client(json.loads((home / "endpoints.json").read_text()))
        key = f"{client.organization_id}/{bot_id}/handbook.pdf"
        assert s3.get_object(Bucket=endpoints.uploads_bucket, Key=key)["Body"].read() == handbook
        wait_for(
            lambda: all(again.document(bot_id, d)["status"] == "ready" for d in unfinished),
            what="what was unfinished to end",
            timeout_seconds=240,
        )
        counts = _counts(endpoints.database_url, bot_id)
        assert counts["documents"] == counts["documents_with_chunks"] == len(unfinished) + 1
        assert counts["chunks"] == counts["expected_chunks"] == counts["vectors"]
        _assert_stopping_leaves_nothing(process, home)
    finally:
        stop(process)


def _assert_stopping_leaves_nothing(process: subprocess.Popen[bytes], home: Path) -> None:
    """No process, and so no port, and no address of them."""
    tree = psutil.Process(process.pid).children(recursive=True)
    assert len(tree) > 3
    assert stop(process) == 0
    _, alive = psutil.wait_procs(tree, timeout=30)
    assert alive == []
    assert not (home / "endpoints.json").exists()
