"""One instance of the toy product for all tests of a process; those that kill something start their own."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.local.instance import running
from tests.integration.local_run.toys import Toys


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that PostgreSQL can reach when the tests run as root."""
    folder = Path(tempfile.mkdtemp(prefix="chatsphere-local-", dir="/tmp"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def folder() -> Iterator[Path]:
    with temporary_folder() as path:
        yield path


@pytest.fixture(scope="session")
def toys() -> Iterator[Toys]:
    with temporary_folder() as path:
        toys = Toys(path)
        with running(toys.home, command=toys.command(sys.executable)) as endpoints:
            toys.endpoints = endpoints
            yield toys
