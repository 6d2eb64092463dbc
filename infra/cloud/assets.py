"""Where the content of functions and layers comes from."""

from pathlib import Path
from typing import Protocol

from infra.catalog import FunctionSpec
from infra.packaging.functions import build_function
from infra.packaging.layers import build_layer
from infra.packaging.targets import lambda_arm64


class Assets(Protocol):
    """Gives the folder that is uploaded for a layer (`/opt`) or a function (`/var/task`)."""

    def layer(self, name: str) -> Path:
        """Return the folder of a layer."""
        ...

    def function(self, spec: FunctionSpec) -> Path:
        """Return the folder of a function."""
        ...


class BuiltAssets:
    """What AWS Lambda will run, built from the lock files where it has changed."""

    def layer(self, name: str) -> Path:
        """See `Assets.layer`.

        Raises:
            PackagingError: it cannot be built.
        """
        return build_layer(name, lambda_arm64())

    def function(self, spec: FunctionSpec) -> Path:
        """See `Assets.function`.

        Raises:
            PackagingError: it cannot be built.
        """
        return build_function(spec, lambda_arm64())


class PlaceholderAssets:
    """A folder with one small file for each, below `root`: templates without their content, in no time."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def layer(self, name: str) -> Path:
        """See `Assets.layer`."""
        return self._folder("layer", name)

    def function(self, spec: FunctionSpec) -> Path:
        """See `Assets.function`."""
        return self._folder("function", spec.name)

    def _folder(self, kind: str, name: str) -> Path:
        folder = self._root / kind / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "placeholder").write_text(name)
        return folder
