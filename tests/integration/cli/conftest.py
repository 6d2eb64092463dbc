"""The command line as a user calls it, in this process, against a fake API."""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from chatsphere.cli.main import main
from chatsphere.cli.output import Output
from tests.integration.cli.fake_api import FakeApi, running
from tests.integration.cli.fake_state import API_KEY


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Result]


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with running() as server:
        yield server


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty environment; returns the folder of the stored logins."""
    for name in ("CHATSPHERE_API", "CHATSPHERE_API_KEY", "CHATSPHERE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return tmp_path / "config" / "chatsphere"


@pytest.fixture
def cli(config: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs a command and says what it left behind."""

    def run(*arguments: object) -> Result:
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return run


@pytest.fixture
def known(api: FakeApi, config: Path, monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    """The API, named and with a key by environment."""
    monkeypatch.setenv("CHATSPHERE_API", api.url)
    monkeypatch.setenv("CHATSPHERE_API_KEY", API_KEY)
    return api


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Console:
    """A terminal of 100 columns in place of both streams; it records what is shown."""
    console = Console(record=True, width=100, force_terminal=True, file=io.StringIO(), markup=False, highlight=False)
    monkeypatch.setattr(Output, "console", lambda self, *, stderr=False: console)
    monkeypatch.setattr(Output, "interactive", property(lambda self: not self.as_json))
    return console
