"""A small product of toy functions, run by the real supervisor."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

import psycopg

from chatsphere.settings import Environment
from infra.catalog import AuthorizerTrigger, FunctionSpec, HttpTrigger, Queue, QueueTrigger, Route, ScheduleTrigger
from infra.local.home import Home
from infra.local.launcher import REPOSITORY
from infra.local.product import Product
from infra.local.up import up

HERE = Path(__file__).parent
INTAKE = Queue("intake")
WORK = Queue("work", max_receive_count=2)


class Records(Environment):
    """Where the toy functions note what they did."""

    records: str


ECHO = HttpTrigger(
    (
        Route("GET", "/public", public=True),
        Route("POST", "/public", public=True),
        Route("GET", "/things/{thing_id}", public=True),
        Route("GET", "/things/mine", public=True),
        Route("GET", "/private"),
    )
)
STREAM = HttpTrigger((Route("POST", "/stream", public=True),), streaming=True)


def prepare_database(admin_url: str, role_passwords: Mapping[str, str]) -> None:
    """As much of the product's schema as the run itself touches."""
    with psycopg.connect(admin_url) as connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS documents"
            " (s3_key text, s3_version_id text, status text, lease_expires_at timestamptz)"
        )


def toy_product(records: Path) -> Product:
    return Product(
        functions=(
            FunctionSpec("echo", ECHO, settings=(), timeout_seconds=2),
            FunctionSpec("stream", STREAM, settings=(), timeout_seconds=20),
            FunctionSpec("authorize", AuthorizerTrigger(), settings=()),
            FunctionSpec("consume", QueueTrigger(WORK, batch_size=2), settings=(Records,), timeout_seconds=20),
            FunctionSpec("intake", QueueTrigger(INTAKE, batch_size=10), settings=(Records,), timeout_seconds=20),
            FunctionSpec("tick", ScheduleTrigger(every_minutes=60, every_minutes_lean=60), settings=(Records,)),
        ),
        queues=(INTAKE, WORK),
        notifications=INTAKE,
        functions_folder=HERE / "functions",
        python_path=(REPOSITORY / "shared",),
        prepare_database=prepare_database,
        values={"RECORDS": str(records)},
        max_upload_bytes=32 * 1024 * 1024,
    )


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("records", type=Path)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--port", type=int)
    arguments = parser.parse_args()
    return up(toy_product(arguments.records), Home(arguments.home), arguments.port)


if __name__ == "__main__":
    sys.exit(main())
