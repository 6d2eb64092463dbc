"""`python -m tests.bench.simulated_year`: a year of a thousand organizations through the real jobs, and what is left.

Every message and conversation is compared with a model of the policies, in the database and in the archive.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import numpy as np
import psycopg

from tests.bench.simulated_year.checking import archived_ids, differences, wrong_contents
from tests.bench.simulated_year.driving import Year, peak_megabytes
from tests.bench.simulated_year.loading import Loader
from tests.bench.simulated_year.model import Model
from tests.bench.simulated_year.world import make_world
from tests.builders.running_api import running_api
from tests.fakes import InMemoryObjectStore
from tests.postgres import DatabaseUrls, fresh_database, running_server

SETTINGS: Final = {"UPLOADS_BUCKET": "uploads", "ARCHIVE_BUCKET": "archive"}


def main() -> int:
    """Run the simulation and say what came of it; 1 where anything is not as it should be."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.simulated_year", description=__doc__)
    parser.add_argument("--messages", type=int, default=5_000_000)
    parser.add_argument("--organizations", type=int, default=1000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--step-days", type=int, default=7, help="how many days pass between two runs of the daily job")
    parser.add_argument("--seed", type=int, default=1)
    chosen = vars(parser.parse_args())
    with running_server() as server, fresh_database(server) as urls:
        return 1 if simulate(urls, **chosen) else 0


def simulate(urls: DatabaseUrls, *, messages: int, organizations: int, days: int, step_days: int, seed: int) -> int:
    """Run the simulation in a fresh database; return how many rows are not where they should be."""
    world = make_world(seed, organizations, messages, days=days)
    model = Model(world)
    with running_api(urls, **SETTINGS) as api:
        vars(api.container)["object_store"] = InMemoryObjectStore(api.clock)
        loader = Loader(urls.admin, world)
        loader.organizations()
        before, began = peak_megabytes(), time.monotonic()
        year = Year(api, world, model, loader, step_days, np.random.default_rng(seed))
        year.run(days)
        loader.close()
        print(f"{organizations:,} organizations, {year.counts['messages']:,} messages, {days} days, seed {seed}")
        print(", ".join(f"{number:,} {what}" for what, number in sorted(year.counts.items())))
        print("seconds: " + ", ".join(f"{what} {spent:.0f}" for what, spent in year.seconds.items()), end="")
        print(f", in all {time.monotonic() - began:.0f}")
        stored = sum(len(v.body or b"") for versions in api.archive_store.saved().values() for v in versions) / 1e6
        print(f"peak memory {peak_megabytes():.0f} MB, of it the world {before:.0f} and the bucket {stored:.0f}")
        with tempfile.TemporaryDirectory() as folder:
            write_objects(api.archive_store, Path(folder))
            wrong = report(model, urls.admin, Path(folder))
        tell_partitions(urls.admin)
    return wrong


def report(model: Model, admin_url: str, archive: Path) -> int:
    """Compare, print, and return how many rows are wrong."""
    found, changed = differences(model, admin_url, archive), wrong_contents(archive)
    print(f"in the database {model.present.sum():,} messages, {model.open.sum():,} conversations")
    print(f"in the archive {len(archived_ids(archive, 'messages')):,} messages, "
          f"{len(archived_ids(archive, 'conversations')):,} conversations, read by DuckDB")  # fmt: skip
    for difference in found:
        print(f"WRONG: {difference}")
    print(f"rows in the wrong place: {sum(d.rows for d in found)}; archived rows that differ by a byte: {changed}")
    return sum(difference.rows for difference in found) + changed


def tell_partitions(admin_url: str) -> None:
    """Print which partitions of messages are left."""
    with psycopg.connect(admin_url) as connection:
        query = """
            SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            WHERE i.inhparent = 'messages'::regclass ORDER BY 1
        """
        names = [row[0] for row in connection.execute(query)]
    print(f"partitions of messages: {len(names)}, the oldest {names[1] if len(names) > 1 else names[0]}")


def write_objects(store: InMemoryObjectStore, folder: Path) -> None:
    """Write the present objects into a folder, by their keys."""
    for key, versions in store.saved().items():
        if versions and versions[-1].body is not None:
            target = folder / key
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(versions[-1].body)


if __name__ == "__main__":
    sys.exit(main())
