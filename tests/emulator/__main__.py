"""`python -m tests.emulator`: deploy the synthesized templates to MiniStack, use them, and say what held."""

import argparse
import os
import re
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib.metadata import distribution
from pathlib import Path
from textwrap import indent
from typing import Final

from infra.cloud.node import use_packaged_node
from infra.packaging.targets import this_machine
from tests.emulator.changes import Outside
from tests.emulator.checks import CHECKS
from tests.emulator.database import running_cluster
from tests.emulator.deployed import Deployed
from tests.emulator.deployment import Assembly, bootstrap, deploy, synthesize, upload_assets
from tests.emulator.ministack import EmulatorError, MiniStack, running_ministack
from tests.emulator.substitutions import TABLE, substitute
from tests.emulator.web_adapter import STREAMING, WebAdapter
from tests.loopback.gemini_server import GeminiServer

LOG_LINES: Final = 40
TROUBLE: Final = re.compile(r'"level":"(WARNING|ERROR)"|\b(WARNING|ERROR) \[(?!asyncio)|(?<!Timeout)Error: ')


def main() -> int:
    """Run everything; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.emulator", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="keep the folder with templates and logs, and name it")
    keep = parser.parse_args().keep
    use_packaged_node()
    home = Path(tempfile.mkdtemp(prefix="chatsphere-emulator-"))
    try:
        with ExitStack() as running:
            return _run(home, running)
    except EmulatorError as error:
        return _failed(home, str(error))
    except Exception:  # whatever it is, the log says more
        return _failed(home, traceback.format_exc())
    finally:
        if keep:
            print(f"Kept: {home}")
        else:
            shutil.rmtree(home, ignore_errors=True)


def _run(home: Path, running: ExitStack) -> int:
    with _timed("synthesized for this machine"):
        assembly = synthesize(home / "cdk.out")
    cluster = running.enter_context(running_cluster())
    gemini = running.enter_context(GeminiServer())
    adapter = WebAdapter()
    running.enter_context(adapter.listening())
    outside = Outside(cluster.urls, cluster.administrator, gemini.url, adapter.url)
    _print_table(substitute(assembly.stacks, outside))
    with _timed("MiniStack started"):
        ministack = running.enter_context(running_ministack(home / "ministack"))
    # The clients of the checks read whom they trust where OpenSSL's own do.
    os.environ["SSL_CERT_FILE"] = str(ministack.certificate)
    prefix = next(iter(assembly.stacks)).rpartition("-")[0]
    deployed = Deployed(
        ministack, cluster, prefix, {name.rpartition("-")[2]: stack for name, stack in assembly.stacks.items()}
    )
    _deploy(deployed, assembly, gemini.key)
    running.enter_context(adapter.serving(ministack, f"{prefix}-{STREAMING.name}", home / "adapter"))
    print("\nWhat the deployed stacks do")
    for check in CHECKS:
        with _timed(check.__name__.replace("_", " ")):
            check(deployed)
    print(
        f"\nPASSED: {len(assembly.stacks)} stacks deployed from the synthesized templates,"
        f" {len(TABLE)} substitutions;"
        f" {len(CHECKS)} of {len(CHECKS)} checks, a file from S3 to the last function among them."
    )
    return 0


def _deploy(deployed: Deployed, assembly: Assembly, gemini_key: str) -> None:
    """Deploy every stack, with what an operator does by hand between them."""
    ministack: MiniStack = deployed.ministack
    print("\nStacks")
    bootstrap(ministack)
    with _timed("assets uploaded"):
        upload_assets(ministack, assembly)
    for name, template in assembly.stacks.items():
        with _timed(f"{name}, {len(template['Resources'])} resources"):
            deploy(ministack, name, template)
        if name.endswith("-secrets"):
            ministack.client("secretsmanager").put_secret_value(
                SecretId=f"{deployed.prefix}/gemini-api-key", SecretString=gemini_key
            )
        elif name.endswith("-data"):
            deployed.cluster.permit_passwords()


def _print_table(places: Mapping[str, int]) -> None:
    target, version = this_machine(), distribution("aws-cdk-lib").version
    print(f"Packages for {target}; aws-cdk-lib {version}\n\nWhat stands in for what MiniStack cannot take")
    for row in TABLE:
        print(f"  {places[row.subject]:>3} × {row.subject}\n        instead: {row.instead}\n        why: {row.why}")
    idle = [subject for subject, count in places.items() if not count]
    if idle:
        raise EmulatorError(f"These substitutions found nothing to stand in for, and must go: {', '.join(idle)}")


@contextmanager
def _timed(what: str) -> Iterator[None]:
    start = time.monotonic()
    print(f"  {what} …", end="", flush=True)
    yield
    print(f" {time.monotonic() - start:.1f} s", flush=True)


def _failed(home: Path, reason: str) -> int:
    log = home / "ministack" / "ministack.log"
    if log.is_file():
        lines = [line for line in log.read_text(errors="replace").splitlines() if TROUBLE.search(line)]
        print("\n\nTrouble in MiniStack's log, the functions' own among it:", file=sys.stderr)
        print(indent("\n".join(lines[-LOG_LINES:]), "  "), file=sys.stderr)
    print(f"\nFAILED: {reason}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
