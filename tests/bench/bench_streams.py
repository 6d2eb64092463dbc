"""Many answers streamed at once by a slow model: is each whole and its own, and begun as soon as one alone?

    python -m tests.bench.bench_streams --streams 50 200

Starts an instance in a temporary home, whose model is a Gemini on loopback that says a few words every `--pause`
seconds. One stream is opened every `--every` seconds, so that all of them are open for a while; with 0 all come in the
same moment, and wait for the processors. Every question asks for a station of its own, and every answer names its
station in each piece.
"""

import argparse
import asyncio
import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx

from infra.local.instance import running
from tests.bench.timing import Timing, print_table, summarize
from tests.e2e.client import Client
from tests.loopback.gemini_model import text_of
from tests.loopback.gemini_server import GeminiServer
from tests.waiting import wait_for

STREAMS_A_CLIENT = 25
"""Streams of one organization at once: its plan's requests a minute are not what is measured."""

ALONE = 5
PIECES = 12
DOCUMENT = "Every station of the mountain line has a code word. The guard of a station says its code word."
_STATION = re.compile(r"station (\d+)")


@dataclass(frozen=True)
class Asked:
    """One stream: which station was asked for, which ones were told of, when it began, how it ended."""

    station: int
    told: tuple[int, ...]
    first_ms: float
    last_event: str

    @property
    def whole(self) -> bool:
        """Whether all pieces came, and nothing else."""
        return self.last_event == "done" and self.told == (self.station,) * PIECES


def answer(body: Mapping[str, Any]) -> str:
    """Say the station that the question asks for, again and again."""
    station = _STATION.findall(text_of(body["contents"][-1]))[-1]
    return " ".join(f"station {station} says," for _ in range(PIECES))


def prepared(api: str, streams: int) -> list[tuple[Client, str]]:
    """Return clients of organizations of their own, each with a bot that may be asked."""
    found = []
    for _ in range(-(-streams // STREAMS_A_CLIENT)):
        client = Client.registered(api)
        bot_id = client.bot(configuration={"threshold": 0, "cache": False})["id"]
        client.text(bot_id, "stations.txt", DOCUMENT)
        found.append((client, bot_id))
    for client, bot_id in found:

        def statuses(client: Client = client, bot_id: str = bot_id) -> bool:
            return [document["status"] for document in client.documents(bot_id)] == ["ready"]

        wait_for(statuses, what="the documents to be ready")
    return found


def ask_at_once(prepared: Sequence[tuple[Client, str]], streams: int, every_seconds: float = 0.0) -> list[Asked]:
    """Open so many streams, one every so many seconds, and read each to its end."""

    async def all_of_them() -> list[Asked]:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        async with httpx.AsyncClient(limits=limits, timeout=120) as http:
            places = [prepared[number // STREAMS_A_CLIENT] for number in range(streams)]
            return await asyncio.gather(
                *(
                    _ask(http, client, bot_id, number, number * every_seconds)
                    for number, (client, bot_id) in enumerate(places)
                )
            )

    return asyncio.run(all_of_them())


async def _ask(http: httpx.AsyncClient, client: Client, bot_id: str, station: int, after_seconds: float) -> Asked:
    await asyncio.sleep(after_seconds)
    body = {"message": f"What does station {station} say?", "stream": True}
    url, headers = f"{client.api}/v1/bots/{bot_id}/chat", dict(client.http.headers)
    began, first, text, name = perf_counter(), 0.0, "", ""
    async with http.stream("POST", url, json=body, headers=headers) as response:
        async for line in response.aiter_lines():
            first = first or perf_counter() - began
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif name == "delta" and line.startswith("data: "):
                text += json.loads(line.removeprefix("data: "))["text"]
    return Asked(station, tuple(map(int, _STATION.findall(text))), first * 1000, name)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a row for each number of streams; 1 where an answer was lost or mixed with another's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, nargs="+", default=[50, 200])
    parser.add_argument("--pause", type=float, default=2.0)
    parser.add_argument("--every", type=float, default=0.1)
    options = parser.parse_args(arguments)
    folder = tempfile.TemporaryDirectory(prefix="chatsphere-bench-", ignore_cleanup_errors=True)
    with (
        GeminiServer(answer=answer, pause_seconds=options.pause) as gemini,
        folder as home,
        running(Path(home), environment=environment(gemini)) as endpoints,
    ):
        places = prepared(endpoints.api, max(options.streams))
        ask_at_once(places, 1)
        alone = [ask_at_once(places, 1)[0] for _ in range(ALONE)]
        at_once = [ask_at_once(places, streams, options.every) for streams in options.streams]
    timings = [_timing(f"{len(asked)} at once", asked) for asked in at_once]
    print_table("Streams: time to the first byte", timings, baseline=_timing("baseline: one after the other", alone))
    return int(any(not each.whole for asked in (alone, *at_once) for each in asked))


def _timing(name: str, asked: Sequence[Asked]) -> Timing:
    lost = sum(not each.whole for each in asked)
    mixed = sum(not set(each.told) <= {each.station} for each in asked)
    return summarize(f"{name}: {lost} not whole, {mixed} mixed", [each.first_ms for each in asked])


def environment(gemini: GeminiServer) -> dict[str, str]:
    """Return what has an instance answer by this model."""
    return {
        "GEMINI_API_KEY": gemini.key,
        "GEMINI_URL": gemini.url,
        "ANSWER_MODEL": "gemini",
        "EMBEDDER": "minilm",
        "VECTOR_STORE": "pgvector",
    }


if __name__ == "__main__":
    raise SystemExit(main())
