"""How large each layer and function is, zipped and unzipped, against its budget."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.catalog import FUNCTIONS, FunctionSpec
from infra.packaging.budgets import FUNCTION_BUDGETS, LAYER_BUDGETS
from infra.packaging.functions import build_function
from infra.packaging.layers import DEPENDENCY_LAYERS, NOT_IN_THE_CLOUD, SHARED, build_layer, cloud_layers
from infra.packaging.targets import Target

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Size:
    """Bytes of a folder: as Lambda unpacks it, and as its zip file is uploaded."""

    unzipped: int
    zipped: int

    def __add__(self, other: "Size") -> "Size":
        return Size(self.unzipped + other.unzipped, self.zipped + other.zipped)


@dataclass(frozen=True, slots=True)
class Entry:
    """A layer, or a function with all its layers; `budget`: megabytes that it may have unzipped."""

    name: str
    size: Size
    budget: int

    @property
    def within(self) -> bool:
        """Whether it keeps its budget."""
        return self.size.unzipped <= self.budget * MB


def measure(folder: Path) -> Size:
    """Return a folder's size; the zip file is made as the CDK makes it, but for its order."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in _files(folder):
            archive.write(path, path.relative_to(folder))
    return Size(unzipped(folder), file.tell())


def unzipped(folder: Path) -> int:
    """Return the bytes of all files below `folder`."""
    return sum(path.stat().st_size for path in _files(folder))


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def layer_entries(target: Target) -> list[Entry]:
    """Return every layer that is deployed."""
    names = [name for name in (*DEPENDENCY_LAYERS, SHARED) if name not in NOT_IN_THE_CLOUD]
    return [Entry(name, measure(build_layer(name, target)), LAYER_BUDGETS[name]) for name in names]


def function_entries(layers: list[Entry], target: Target) -> Iterator[Entry]:
    """Yield every function with its layers, which is what AWS limits to 250 MB."""
    sizes = {entry.name: entry.size for entry in layers}
    for spec in FUNCTIONS:
        yield Entry(spec.name, _total(spec, sizes, target), FUNCTION_BUDGETS[spec.name])


def _total(spec: FunctionSpec, layers: dict[str, Size], target: Target) -> Size:
    total = measure(build_function(spec, target))
    for name in cloud_layers(spec):
        total += layers[name]
    return total


def print_sizes(target: Target) -> bool:
    """Print every size with its budget; return whether all keep theirs."""
    layers = layer_entries(target)
    functions = list(function_entries(layers, target))
    print(f"Sizes in MB (1,000,000 bytes) for {target}\n")
    for title, entries in (("layer", layers), ("function with its layers", functions)):
        print(f"| {title:24} | zipped | unzipped | budget |   |")
        print(f"|{'-' * 26}|-------:|---------:|-------:|---|")
        for entry in entries:
            size, mark = entry.size, "" if entry.within else "over"
            print(
                f"| {entry.name:24} | {size.zipped / MB:6.2f} | {size.unzipped / MB:8.2f} | {entry.budget:6} | {mark} |"
            )
        print()
    return all(entry.within for entry in (*layers, *functions))
