"""The product of a fault run: ChatSphere itself, whose workers may be killed and whose events pass through the run.

    python -m tests.faults.product --home HOME --port PORT

In HOME/failpoints lie the failpoints. The bucket reports to a queue of the run's own, which hands events on as badly as
S3 may; the reaper runs every few seconds instead of minutes, so that a run takes minutes instead of hours.
"""

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from infra.catalog import FunctionSpec, Queue, ScheduleTrigger
from infra.local.chatsphere_product import chatsphere
from infra.local.home import Home
from infra.local.product import Product
from infra.local.providers import provider_values
from infra.local.up import up

RAW_EVENTS: Final = Queue("raw-events")
"""What the bucket reports, before the run has let it through."""

REAPER_SECONDS: Final = 4.0


def faulty_product(failpoints: Path) -> Product:
    """Return the product with failpoints in its workers."""
    product = chatsphere(provider_values(os.environ))
    return replace(
        product,
        functions=tuple(map(_hurried, product.functions)),
        queues=(*product.queues, RAW_EVENTS),
        notifications=RAW_EVENTS,
        python_path=(failpoints, *product.python_path),
        make_demo=False,
    )


def _hurried(spec: FunctionSpec) -> FunctionSpec:
    if not isinstance(spec.trigger, ScheduleTrigger):
        return spec
    minutes: Any = REAPER_SECONDS / 60
    return replace(spec, trigger=replace(spec.trigger, every_minutes=minutes))


def main() -> int:
    """Run until asked to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    home = arguments.home.resolve()
    return up(faulty_product(home / "failpoints"), Home(home), arguments.port)


if __name__ == "__main__":
    sys.exit(main())
