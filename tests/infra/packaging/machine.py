"""Something like an execution environment of Lambda: a bare Python that knows only what a package brings.

The managed runtime's Python is a virtual environment with what AWS puts there (boto3, the runtime client) and nothing
else. A function's layers are laid over one another at `opt`, its own folder stands at `task`. As in Lambda, the
runtime puts both on the path of its own process; a child process does not inherit them.
"""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from infra.catalog import FunctionSpec
from infra.packaging.functions import build_function
from infra.packaging.layers import PYTHON, build_layer, cloud_layers
from infra.packaging.targets import this_machine
from tests.packaged_python import python_with


@dataclass(frozen=True)
class Package:
    """A function as it is deployed. `python`: the managed runtime's interpreter, of `python_version`."""

    spec: FunctionSpec
    task: Path
    opt: Path
    python: Path
    python_version: str

    @property
    def packages(self) -> Path:
        """Where the layers' Python packages are."""
        return self.opt / PYTHON


def lay_out(spec: FunctionSpec, folder: Path) -> Package:
    """Lay a function and its cloud layers out below `folder`, built for this machine."""
    opt = folder / "opt"
    for layer in cloud_layers(spec):
        shutil.copytree(build_layer(layer, this_machine()), opt, copy_function=_overlay, dirs_exist_ok=True)
    return Package(
        spec, build_function(spec, this_machine()), opt, python_with("managed_runtime"), this_machine().python
    )


def lay_out_source(spec: FunctionSpec, source: str, folder: Path, *, layers: bool = False) -> Package:
    """Lay out a handler that is given as its source in the place of a function's, with its layers or with none."""
    task, package = folder / "task", lay_out(spec, folder)
    task.mkdir()
    (task / "handler.py").write_text(source)
    opt = package.opt if layers else folder / "no-layers"
    return replace(package, task=task, opt=opt)


def _overlay(source: str, destination: str) -> None:
    """A later layer's file takes the place of an earlier one's."""
    path = Path(destination)
    path.unlink(missing_ok=True)
    path.symlink_to(source)
