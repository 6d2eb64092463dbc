"""Cold starts of every packaged function, under `awslambdaric` on this machine, against an empty handler.

Run as `make bench-cold` or `python -m tests.bench.cold_start`. CPU time, not elapsed time: Lambda gives a small
function a part of a core, so what is spent here is multiplied there. `init` is until the process asks for its first
event, `first answer` what it spends on one real event after that, `peak` the most memory it held by then.
"""

import logging
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from chatsphere.adapters.system import SystemClock, UuidV7Ids
from chatsphere.db.database import Database
from infra.catalog import FUNCTIONS, FunctionSpec
from infra.packaging.functions import is_streaming
from infra.packaging.targets import this_machine
from tests.bench.cold_start_tables import Row, print_costs, print_imports, print_unneeded
from tests.conftest import add_tenant
from tests.infra.packaging.coldness import ColdStarts, ServerStarts, Usage
from tests.infra.packaging.expected_imports import unneeded_imports
from tests.infra.packaging.imports import PROFILED, import_milliseconds
from tests.infra.packaging.machine import lay_out, lay_out_source
from tests.infra.packaging.trials import TRIALS
from tests.infra.packaging.world import World, make_world
from tests.loopback.gemini_server import GeminiServer
from tests.moto_server import running_moto
from tests.postgres import fresh_database, running_server

RUNS = 7
PROFILED_RUNS = 3
EMPTY = "def handler(event, context):\n    return {}\n"
BOTOCORE = {
    "(a database token by IAM)": """
from chatsphere.adapters.rds_iam import RdsIamPassword
def handler(event, context):
    return len(RdsIamPassword("host=db.example.com user=chatsphere_app")())
""",
    "(a secret, by its ARN)": """
from chatsphere.adapters.secrets_manager import fetch_secret
def handler(event, context):
    return len(fetch_secret(event["arn"]))
""",
}
"""What the cloud adds to a first answer that touches the database, or needs a secret."""


def main() -> None:
    """Measure everything and print it."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="chatsphere-bench-") as folder, some_world(Path(folder)) as world:
        empty = measure_source("(empty handler)", EMPTY, world, Path(folder))
        rows = [measure_function(spec, world, Path(folder)) for spec in FUNCTIONS]
        rows.append(measure_sources("manage_bots", world, Path(folder)))
        rows += [measure_source(name, source, world, Path(folder)) for name, source in BOTOCORE.items()]
    print(f"Python {this_machine().python}, {platform.machine()}, the least of {RUNS} cold starts\n")
    print_costs(empty, rows)
    print_imports(empty, rows)
    print_unneeded(rows)


@contextmanager
def some_world(folder: Path) -> Iterator[World]:
    """Start what the functions work on."""
    with running_server() as server, fresh_database(server) as urls, running_moto() as moto, GeminiServer() as gemini:
        database = Database(urls.app)
        tenant = add_tenant(database, UuidV7Ids(SystemClock()))
        database.close()
        yield make_world(tenant, urls, moto, gemini, folder)


def measure_function(spec: FunctionSpec, world: World, folder: Path) -> Row:
    """Measure a function of the catalog; one without a trial is only started."""
    scratch = folder / spec.name
    scratch.mkdir()
    package = lay_out(spec, scratch)
    known = {name: "x" for group in spec.settings for name, required in group.variables().items() if required}
    if is_streaming(spec):
        server = ServerStarts(package, world.settings_of(spec), scratch)
        return row(spec.name, server, lambda: server.ask(world))
    if spec.name not in TRIALS:
        starts = ColdStarts(package, known, scratch)
        return row(spec.name, starts, starts.start)
    starts = ColdStarts(package, world.settings_of(spec), scratch)
    return row(spec.name, starts, lambda: TRIALS[spec.name](world, starts.answer))


def measure_source(name: str, source: str, world: World, folder: Path) -> Row:
    """Measure a handler that is given as its source, with the layers of a function that has no more than the core's."""
    plain = next(spec for spec in FUNCTIONS if spec.name == "manage_bots")
    scratch = folder / f"source-{abs(hash(name))}"
    package = lay_out_source(plain, source, scratch, layers=source is not EMPTY)
    settings = {"AWS_ENDPOINT_URL_SECRETS_MANAGER": world.endpoint}
    starts = ColdStarts(package, settings, scratch)
    return row(name, starts, lambda: starts.answer({"arn": world.secrets["GEMINI_API_KEY"]}))


def measure_sources(name: str, world: World, folder: Path) -> Row:
    """Measure a function whose layers have no byte code."""
    spec = next(spec for spec in FUNCTIONS if spec.name == name)
    scratch = folder / f"{name}-sources"
    scratch.mkdir()
    package = lay_out(spec, scratch)
    for compiled in list(package.packages.rglob("__pycache__")):
        shutil.rmtree(compiled)
    starts = ColdStarts(package, world.settings_of(spec), scratch)
    return row(f"({name}, no byte code)", starts, lambda: TRIALS[name](world, starts.answer))


def row(name: str, starts: ColdStarts, once: Callable[[], object]) -> Row:
    """Start the function several times, then under the import profiler."""
    for _ in range(RUNS):
        once()
    initial, answered = least(starts.initial), least(starts.answered) if starts.answered else None
    starts.extra, printed = PROFILED, []
    for _ in range(PROFILED_RUNS):
        once()
        printed.append(starts.log.read_bytes())
    unneeded = [] if name.startswith("(") else unneeded_imports(starts)
    return Row(name, initial, answered, least_imports(printed), unneeded)


def least(usages: list[Usage]) -> Usage:
    """Return the least of each figure: what the machine does beside this only adds to it."""
    return Usage(min(usage.cpu for usage in usages), min(usage.peak for usage in usages))


def least_imports(printed: list[bytes]) -> dict[str, float]:
    """Return the least time of each package that every run imported."""
    runs = [import_milliseconds(run) for run in printed]
    return {package: min(run[package] for run in runs) for package in set.intersection(*map(set, runs))}


if __name__ == "__main__":
    main()
