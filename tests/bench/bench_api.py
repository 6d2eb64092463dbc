"""The HTTP API of a running instance, one client, warm: bot create, search, chat and chat's own share.

Run as `python -m tests.bench.bench_api`. The baseline is `GET /v1/health/live` of the same run: a request that
crosses the gateway and a worker and does nothing.
"""

import tempfile
from pathlib import Path
from typing import Any

from infra.local.instance import running
from tests.bench.timing import Timing, print_table, summarize, time_calls
from tests.e2e.client import Client
from tests.e2e.handbook import PAGES, QUESTIONS
from tests.waiting import wait_for

CALLS = 200


def main() -> None:
    """Start an instance in a temporary home, measure, and stop it."""
    folder = tempfile.TemporaryDirectory(prefix="chatsphere-bench-", ignore_cleanup_errors=True)
    with folder as home, running(Path(home)) as endpoints:
        baseline, timings = measure(endpoints.api)
    print_table("HTTP API, one client, warm", timings, baseline=baseline)


def measure(api: str) -> tuple[Timing, list[Timing]]:
    """Return the baseline and the timings of the instance at `api`."""
    client = Client.registered(api)
    baseline = time_calls("GET /v1/health/live", lambda _: client.http.get("/v1/health/live"), calls=CALLS)
    create = time_calls("POST /v1/bots", lambda i: client.bot(name=f"Bot {i}"), calls=CALLS)
    bot_id = _handbook(client)
    search = time_calls(
        "POST /v1/bots/{id}/search (5 chunks)",
        lambda i: client.http.post(f"/v1/bots/{bot_id}/search", json={"query": QUESTIONS[i % len(QUESTIONS)][0]}),
        calls=CALLS,
    )
    answers: list[dict[str, Any]] = []
    chat = time_calls(
        "POST /v1/bots/{id}/chat (whole)",
        lambda i: answers.append(client.chat(bot_id, QUESTIONS[i % len(QUESTIONS)][0])),
        calls=CALLS,
    )
    latencies = [answer["latency_ms"] for answer in answers[-CALLS:]]
    own = summarize("  of it everything but the model", [split["total"] - split["model"] for split in latencies])
    return baseline, [create, search, chat, own]


def _handbook(client: Client) -> str:
    bot_id: str = client.bot()["id"]
    for number, page in enumerate(PAGES):
        client.text(bot_id, f"page-{number}.txt", page)
    all_ready = ["ready"] * len(PAGES)
    wait_for(lambda: [d["status"] for d in client.documents(bot_id)] == all_ready, what="the handbook to be ready")
    return bot_id


if __name__ == "__main__":
    main()
