"""Whether an answer's time tells if somebody has an account: login and forgotten password, known and unknown.

Run as `python -m tests.bench.bench_enumeration`. In one process (real events, real handlers, argon2id at its real cost,
embedded PostgreSQL that waits for its disk), known and unknown addresses by turns, so that both meet the same machine.
The ratio of two halves of the known addresses, taken the same way, shows how much of a difference is chance.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from statistics import median, quantiles
from uuid import uuid4

from chatsphere.settings import PasswordSettings
from tests.builders.running_api import RunningApi, running_api
from tests.moto_server import make_queue, running_moto
from tests.postgres import fresh_database, running_server

PAIRS = 300
PEOPLE = 60
"""Fewer tries of each than make an account wait."""


def main() -> None:
    """Measure both routes and print a table."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with _api() as api:
        known = [api.register().email for _ in range(PEOPLE)]
        api.clock.advance(days=1)
        login = _measure(api, known, lambda email: _post(api, "/v1/auth/login", {"email": email, "password": "wrong"}))
        forgot = _measure(api, known, lambda email: _post(api, "/v1/auth/password/forgot", {"email": email}))
    print("\nKnown and unknown mail addresses\n")
    print(f"| {'route':30} | pairs | known ms | unknown ms | known / unknown | quartiles of pairs | known / known |")
    print(f"|{'-' * 32}|------:|---------:|-----------:|----------------:|-------------------:|--------------:|")
    for route, taken in (("POST /v1/auth/login", login), ("POST /v1/auth/password/forgot", forgot)):
        _print_row(route, *taken)


def _measure(api: RunningApi, known: list[str], call: Callable[[str], None]) -> tuple[list[float], list[float]]:
    """Return the milliseconds of known and of unknown addresses, pair by pair."""
    taken: tuple[list[float], list[float]] = ([], [])
    for number in range(-PEOPLE, PAIRS):
        # Nobody's failures add up: what waits is not what is measured.
        api.clock.advance(hours=25 if number % PEOPLE == 0 else 0)
        emails = (known[number % PEOPLE], f"{uuid4().hex}@example.com")
        for which in (0, 1) if number % 2 else (1, 0):
            start = time.perf_counter()
            call(emails[which])
            if number >= 0:
                taken[which].append((time.perf_counter() - start) * 1000)
    return taken


def _print_row(route: str, known: list[float], unknown: list[float]) -> None:
    low, _, high = quantiles([one / other for one, other in zip(known, unknown, strict=True)], n=4)
    chance = median(known[::2]) / median(known[1::2])
    print(
        f"| {route:30} | {len(known):5} | {median(known):8.2f} | {median(unknown):10.2f} |"
        f" {median(known) / median(unknown):15.3f} | {f'{low:.3f} to {high:.3f}':>18} | {chance:13.3f} |"
    )


def _post(api: RunningApi, path: str, body: dict[str, str]) -> None:
    with redirect_stdout(StringIO()):
        answer = api.request("POST", path, body)
    assert answer.status in (204, 401), answer.text


@contextmanager
def _api() -> Iterator[RunningApi]:
    """Start the API with passwords at their real cost, its queue in moto."""
    cost = PasswordSettings()
    variables = {
        "ARGON2_MEMORY_KIB": str(cost.argon2_memory_kib),
        "ARGON2_PASSES": str(cost.argon2_passes),
        "CREDENTIAL_TRIES_PER_MINUTE": "1000000",
    }
    with running_moto() as endpoint, running_server(overrides={}) as server, fresh_database(server) as urls:
        queue = {"MAIL_QUEUE_URL": make_queue(endpoint, "mail"), "SQS_ENDPOINT": endpoint}
        with running_api(urls, **variables, **queue) as api:
            # The real client of a real queue: sending is a part of what is measured.
            del api.container.mail_queue
            yield api


if __name__ == "__main__":
    main()
