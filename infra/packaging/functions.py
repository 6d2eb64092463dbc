"""A function's own folder, as it will stand at `/var/task`; what it imports stands in its layers."""

from functools import partial
from pathlib import Path
from typing import Final

from infra.catalog import FunctionSpec, HttpTrigger
from infra.packaging.bytecode import compile_sources
from infra.packaging.cache import REPOSITORY, cached, copy_sources, digest
from infra.packaging.errors import PackagingError
from infra.packaging.reproducible import normalize
from infra.packaging.targets import Target

TASK_ROOT: Final = "/var/task"


def is_streaming(spec: FunctionSpec) -> bool:
    """Tell whether the function is a web server under the Lambda Web Adapter."""
    return isinstance(spec.trigger, HttpTrigger) and spec.trigger.streaming


def entry_point(spec: FunctionSpec) -> str:
    """Return the function's `Handler`: under the Lambda Web Adapter that is what starts its server."""
    return "run.sh" if is_streaming(spec) else "handler.handler"


def build_function(spec: FunctionSpec, target: Target) -> Path:
    """Return the function's folder; it is built only if something of it has changed.

    Raises:
        PackagingError: the function has no handler yet, or it is not valid Python of the target's version.
    """
    source = REPOSITORY / "functions" / spec.name
    for needed in ("handler.py", "run.sh") if is_streaming(spec) else ("handler.py",):
        if not (source / needed).is_file():
            raise PackagingError(f"functions/{spec.name}/{needed} is missing")
    fill = partial(_fill, source=source, target=target)
    # Only byte code differs from target to target, and that by the version alone.
    made_with = target.interpreter.version if target.interpreter else "none"
    return cached(f"function-{spec.name}", digest(f"{spec.name} {made_with}", [source]), fill)


def _fill(folder: Path, source: Path, target: Target) -> None:
    copy_sources(source, folder)
    compile_sources(folder, TASK_ROOT, target.interpreter)
    normalize(folder)
