"""The vocabulary of metrics, and what frames an invocation."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from chatsphere.errors import ConfigurationError, NotFoundError, UnavailableError
from chatsphere.failures import public_error
from chatsphere.observability import Metric, bind, correlated, correlation_id, invocation, logger, record, timed

DECISION = Path(__file__).parents[2] / "docs" / "decisions" / "0062-observability.md"
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| (yes|) *\| .+ \|$", re.MULTILINE)


def written(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]


@pytest.fixture(autouse=True)
def switched_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POWERTOOLS_METRICS_DISABLED", raising=False)


def test_the_documented_metrics_are_those_of_the_code() -> None:
    documented = [(name, unit, code == "yes") for name, unit, code in ROW.findall(DECISION.read_text())]

    assert documented == [(metric.metric_name, metric.unit, metric.by_code) for metric in Metric]


def test_an_invocations_metrics_are_one_line_with_all_values(capsys: pytest.CaptureFixture[str]) -> None:
    with invocation("id"):
        record(Metric.CHUNKS_EMBEDDED, 3)
        record(Metric.CHUNKS_EMBEDDED, 4)
        record(Metric.DOCUMENTS_READY)
        assert written(capsys) == []

    (line,) = written(capsys)
    assert (line["ChunksEmbedded"], line["DocumentsReady"]) == ([3, 4], [1])


def test_the_next_invocation_begins_with_none(capsys: pytest.CaptureFixture[str]) -> None:
    with invocation("first"):
        record(Metric.ANSWERS)
    written(capsys)
    with invocation("second"):
        pass
    assert written(capsys) == []


def test_what_fails_is_measured_and_flushed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyError), invocation("id"), timed(Metric.EXTRACT_TIME):
        raise KeyError

    (line,) = written(capsys)
    assert line["ExtractTime"][0] >= 0


def test_a_code_makes_a_second_series(capsys: pytest.CaptureFixture[str]) -> None:
    record(Metric.DOCUMENTS_FAILED, code="corrupt")

    (line,) = written(capsys)
    assert line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["service"], ["service", "code"]]
    assert (line["DocumentsFailed"], line["code"]) == ([1], "corrupt")


def test_switched_off_nothing_is_written_however_much_is_recorded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "true")
    for _ in range(150):
        with invocation("id"):
            record(Metric.ANSWERS)
    assert written(capsys) == []


def test_keys_end_with_their_block() -> None:
    with invocation("request"):
        bind(organization_id="o")
        assert correlation_id() == "request"
    with correlated("message"):
        assert correlation_id() == "message"
        assert "organization_id" not in logger.get_current_keys()
    assert correlation_id() is None


def test_what_clients_are_not_told_of_a_failure_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    for error in (
        ConfigurationError("PINECONE_INDEX: there is none."),
        UnavailableError("Gemini does not answer."),
        NotFoundError("There is no such bot."),
    ):
        assert public_error(error) is error

    assert [(entry.levelname, vars(entry)["code"], vars(entry)["detail"]) for entry in caplog.records] == [
        ("ERROR", "configuration_error", "PINECONE_INDEX: there is none."),
        ("WARNING", "unavailable", "Gemini does not answer."),
    ]
