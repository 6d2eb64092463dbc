"""The folder of built packages, when several build at once and when a build fails."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from infra.packaging.cache import REPOSITORY, cached, digest


def test_what_is_built_is_not_built_again(tmp_path: Path) -> None:
    builds: list[Path] = []

    first = cached("layer", "key", builds.append, tmp_path)
    second = cached("layer", "key", builds.append, tmp_path)

    assert (first, len(builds)) == (second, 1)


def test_two_that_build_at_once_end_with_one_whole_package(tmp_path: Path) -> None:
    both_build = Barrier(2, timeout=30)

    def fill(folder: Path) -> None:
        both_build.wait()
        (folder / "file").write_text("whole")

    with ThreadPoolExecutor(2) as pool:
        packages = set(pool.map(lambda _: cached("layer", "key", fill, tmp_path), range(2)))

    assert [(package / "file").read_text() for package in packages] == ["whole"]
    assert [path.name for path in tmp_path.iterdir()] == ["layer-key"]


def test_a_build_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").write_text("half")
        raise ValueError

    with pytest.raises(ValueError):
        cached("layer", "key", fail, tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_the_key_follows_the_inputs_and_the_description() -> None:
    core = REPOSITORY / "layers" / "core" / "requirements.txt"
    identity = REPOSITORY / "layers" / "identity" / "requirements.txt"

    keys = {digest("arm64", [core]), digest("arm64", [identity]), digest("this machine", [core])}

    assert len(keys) == 3
    assert digest("arm64", [core]) in keys
