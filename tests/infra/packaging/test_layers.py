"""What is uploaded for arm64: checked file by file, for nothing here can run it."""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from itertools import combinations
from pathlib import Path

import pytest

from infra.catalog import FUNCTIONS, FunctionSpec
from infra.packaging.budgets import FUNCTION_BUDGETS, LAYER_BUDGETS
from infra.packaging.cache import cached
from infra.packaging.errors import PackagingError, WrongPlatformError
from infra.packaging.functions import build_function, entry_point, is_streaming
from infra.packaging.layers import (
    CERTIFICATES,
    DEPENDENCY_LAYERS,
    NOT_IN_THE_CLOUD,
    PYTHON,
    SHARED,
    build_layer,
    cloud_layers,
)
from infra.packaging.sizes import MB, unzipped
from infra.packaging.targets import EM_AARCH64, lambda_arm64
from infra.packaging.wheels import check, elf_machine

pytestmark = pytest.mark.xdist_group("packaging")

LAYERS = [name for name in (*DEPENDENCY_LAYERS, SHARED) if name not in NOT_IN_THE_CLOUD]
MAGIC_OF_3_13 = (3571).to_bytes(2, "little") + b"\r\n"
UNCHECKED_HASH = (0b01).to_bytes(4, "little")
LAYERS_OF_A_FUNCTION = 5
"""What AWS allows."""


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_has_only_files_for_arm64(name: str) -> None:
    layer = build_layer(name, lambda_arm64())

    machines = {machine for path in files(layer) if (machine := elf_machine(path)) is not None}
    tags = {line.rpartition("-")[2] for path in layer.rglob("WHEEL") for line in tag_lines(path)}

    assert machines <= {EM_AARCH64}
    assert all(tag == "any" or tag.endswith("_aarch64") for tag in tags), tags


@pytest.mark.skipif(lambda_arm64().interpreter is None, reason="no Python of Lambda's version is on this machine")
@pytest.mark.parametrize("name", LAYERS)
def test_each_source_of_a_layer_has_byte_code_that_is_taken_as_it_is(name: str) -> None:
    layer = build_layer(name, lambda_arm64())

    sources = list(layer.rglob("*.py"))

    assert sources
    for source in sources:
        compiled = source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"
        assert compiled.read_bytes()[:8] == MAGIC_OF_3_13 + UNCHECKED_HASH, source


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_leaves_out_what_lambda_has_and_what_no_function_reads(name: str) -> None:
    inside = build_layer(name, lambda_arm64()) / PYTHON

    packages = {path.name for path in inside.iterdir()}

    assert packages.isdisjoint({"boto3", "botocore", "bin"})
    assert all((path / "METADATA").is_file() for path in inside.glob("*.dist-info"))
    assert not [path for path in files(inside) if path.suffix in {".pyi", ".c", ".h"} or "tests" in path.parts]


def test_the_product_is_a_layer_with_its_migrations_and_without_its_command_line() -> None:
    layer = build_layer(SHARED, lambda_arm64())

    package = layer / PYTHON / "chatsphere"

    assert list((package / "db" / "migrations" / "versions").glob("*.sql"))
    assert not (package / "cli").exists()
    assert (layer / CERTIFICATES).is_file()


@pytest.mark.parametrize("spec", FUNCTIONS, ids=lambda spec: spec.name)
def test_no_layer_of_a_function_hides_another_file_of_the_same_name(spec: FunctionSpec) -> None:
    contents = [contents_of(build_layer(name, lambda_arm64())) for name in cloud_layers(spec)]

    for one, other in combinations(contents, 2):
        assert [path for path in one.keys() & other.keys() if one[path] != other[path]] == []


@pytest.mark.parametrize("spec", FUNCTIONS, ids=lambda spec: spec.name)
def test_a_function_has_what_starts_it_and_no_more_layers_than_aws_allows(spec: FunctionSpec) -> None:
    folder = build_function(spec, lambda_arm64())

    adapter = 1 if is_streaming(spec) else 0

    assert len(cloud_layers(spec)) + adapter <= LAYERS_OF_A_FUNCTION
    assert (folder / "handler.py").is_file()
    if is_streaming(spec):
        assert (folder / entry_point(spec)).stat().st_mode & 0o555 == 0o555


def test_layers_and_functions_keep_their_budgets() -> None:
    target = lambda_arm64()
    layers = {name: unzipped(build_layer(name, target)) for name in LAYERS}
    functions = {
        spec.name: unzipped(build_function(spec, target)) + sum(layers[name] for name in cloud_layers(spec))
        for spec in FUNCTIONS
    }

    assert over(layers, LAYER_BUDGETS) == []
    assert over(functions, FUNCTION_BUDGETS) == []


def test_a_second_build_gives_the_same_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = build_layer("providers", lambda_arm64())
    monkeypatch.setattr("infra.packaging.layers.cached", lambda name, key, fill: cached(name, key, fill, tmp_path))

    second = build_layer("providers", lambda_arm64())

    assert second.parent == tmp_path
    assert contents_of(second) == contents_of(first)


def test_a_layer_that_is_built_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    first = build_layer("providers", lambda_arm64())
    monkeypatch.setattr("infra.packaging.layers.install", None)

    assert build_layer("providers", lambda_arm64()) == first


def test_an_unknown_layer_is_named() -> None:
    with pytest.raises(PackagingError, match="'parser'"):
        build_layer("parser", lambda_arm64())


def test_a_wheel_for_another_machine_is_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "other-1.0.dist-info" / "WHEEL"
    wheel.parent.mkdir()
    wheel.write_text("Wheel-Version: 1.0\nTag: cp313-cp313-manylinux_2_17_x86_64\n")

    with pytest.raises(WrongPlatformError, match=r"other-1\.0"):
        check(tmp_path, lambda_arm64())


def test_a_library_for_another_machine_is_refused_whatever_its_wheel_says(tmp_path: Path) -> None:
    x86_64 = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00\x3e\x00" + bytes(44)
    (tmp_path / "library.so").write_bytes(x86_64)

    with pytest.raises(WrongPlatformError, match=r"library\.so"):
        check(tmp_path, lambda_arm64())


def files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def tag_lines(wheel: Path) -> list[str]:
    return [line for line in wheel.read_text().splitlines() if line.startswith("Tag: ")]


def contents_of(folder: Path) -> dict[str, tuple[str, int, float]]:
    """Each file's content, permissions and time, by its path."""
    return {
        str(path.relative_to(folder)): (
            sha256(path.read_bytes()).hexdigest(),
            path.stat().st_mode,
            path.stat().st_mtime,
        )
        for path in files(folder)
    }


def over(sizes: Mapping[str, int], budgets: Mapping[str, int]) -> list[str]:
    """What is above its budget, or has none, or has one and is gone."""
    missing = [f"{name} has a budget or a size only" for name in sizes.keys() ^ budgets.keys()]
    above = [f"{name} has {size / MB:.1f} MB" for name, size in sizes.items() if size > budgets.get(name, 0) * MB]
    return missing + above
