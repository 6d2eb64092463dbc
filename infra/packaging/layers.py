"""The layers: one for each group of locked dependencies, and `shared`, the product itself."""

import shutil
from functools import partial
from pathlib import Path
from typing import Final, get_args

from infra.catalog import FunctionSpec, Layer
from infra.packaging.bytecode import compile_sources
from infra.packaging.cache import REPOSITORY, cached, copy_sources, digest
from infra.packaging.errors import PackagingError
from infra.packaging.pruning import prune
from infra.packaging.reproducible import normalize
from infra.packaging.targets import Target
from infra.packaging.wheels import check, install

SHARED: Final = "shared"
DEPENDENCY_LAYERS: Final[tuple[str, ...]] = get_args(Layer)
NOT_IN_THE_CLOUD: Final = frozenset({"local_models"})
"""The model that runs on one machine; in the cloud Gemini embeds."""

PYTHON: Final = "python"
"""Folder of a layer that Lambda puts on the path, as `/opt/python`."""

CERTIFICATES: Final = "certs/rds-global-bundle.pem"
RDS_CERTIFICATES_PATH: Final = f"/opt/{CERTIFICATES}"
"""Where a function finds whom to trust as its database (`sslrootcert`); part of the layer `shared`."""

NOT_FOR_FUNCTIONS: Final = ("cli",)


def cloud_layers(spec: FunctionSpec) -> tuple[str, ...]:
    """Return the layers of a function in the cloud; of two that hold the same file the later one wins."""
    return (*(layer for layer in spec.layers if layer not in NOT_IN_THE_CLOUD), SHARED)


def build_layer(name: str, target: Target) -> Path:
    """Return the folder of a layer, as it will stand at `/opt`; it is built only if something of it has changed.

    Raises:
        PackagingError: there is no such layer, or it cannot be built for the target.
    """
    if name == SHARED:
        inputs = [REPOSITORY / "shared" / "chatsphere", Path(__file__).parent / "certificates"]
        fill = partial(_fill_shared, target=target)
    elif name in DEPENDENCY_LAYERS:
        inputs = [REPOSITORY / "layers" / name / "requirements.txt"]
        fill = partial(_fill_with_wheels, requirements=inputs[0], target=target)
    else:
        raise PackagingError(f"There is no layer {name!r}; there are: {', '.join((*DEPENDENCY_LAYERS, SHARED))}")
    return cached(f"layer-{name}-{target.name}", digest(f"{name} {target.key}", inputs), fill)


def _fill_with_wheels(folder: Path, requirements: Path, target: Target) -> None:
    packages = folder / PYTHON
    install(requirements, packages, target)
    prune(packages)
    check(packages, target)
    compile_sources(packages, f"/opt/{PYTHON}", target.interpreter)
    normalize(folder)


def _fill_shared(folder: Path, target: Target) -> None:
    package = folder / PYTHON / "chatsphere"
    copy_sources(REPOSITORY / "shared" / "chatsphere", package, without=NOT_FOR_FUNCTIONS)
    compile_sources(folder / PYTHON, f"/opt/{PYTHON}", target.interpreter)
    (folder / CERTIFICATES).parent.mkdir()
    shutil.copyfile(Path(__file__).parent / "certificates" / Path(CERTIFICATES).name, folder / CERTIFICATES)
    normalize(folder)
