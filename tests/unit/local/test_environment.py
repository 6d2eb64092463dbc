"""A function's process sees exactly what it may."""

from pathlib import Path

import pytest

from chatsphere.settings import Environment, QueueSettings
from infra.catalog import FunctionSpec, HttpTrigger, Queue
from infra.function_environment import MissingValueError, function_variables
from infra.local.environment import function_environment
from infra.local.errors import MissingVariableError
from infra.local.home import Home


class Needs(Environment):
    needed: str
    optional: str = "x"


VALUES = {"NEEDED": "n", "OTHER": "o", "SQS_ENDPOINT": "e", "EXTRACT_QUEUE_URL": "u1", "EMBED_QUEUE_URL": "u2"}


def a_function(*groups: type[Environment], sends_to: tuple[Queue, ...] = ()) -> FunctionSpec:
    return FunctionSpec("f", HttpTrigger(()), settings=groups, sends_to=sends_to)


def test_only_the_variables_of_its_groups() -> None:
    assert function_variables(a_function(Needs), VALUES) == {"NEEDED": "n"}


def test_only_the_queues_it_sends_to() -> None:
    variables = function_variables(a_function(QueueSettings, sends_to=(Queue("embed"),)), VALUES)
    assert variables == {"SQS_ENDPOINT": "e", "EMBED_QUEUE_URL": "u2"}


def test_missing_required_variable_is_named() -> None:
    with pytest.raises(MissingValueError, match=r"function f: Needs requires NEEDED"):
        function_variables(a_function(Needs), {})


def test_a_run_does_not_start_without_a_required_variable(tmp_path: Path) -> None:
    with pytest.raises(MissingVariableError, match=r"function f: Needs requires NEEDED"):
        function_environment(a_function(Needs), folder=tmp_path, python_path=(), home=Home(tmp_path), values={})


def test_missing_queue_is_named() -> None:
    with pytest.raises(MissingValueError, match="EXTRACT_QUEUE_URL"):
        function_variables(a_function(QueueSettings, sends_to=(Queue("extract"),)), {})


def test_nothing_of_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("GEMINI_API_KEY", "secret")
    environment = function_environment(
        a_function(Needs), folder=tmp_path, python_path=(tmp_path,), home=Home(tmp_path), values=VALUES
    )
    assert "secret" not in environment.values()
    assert "AWS_PROFILE" not in environment
    assert environment["HOME"] == str(tmp_path / "scratch")
    assert environment["AWS_ACCESS_KEY_ID"] == "chatsphere-local"
