"""What `python -m infra.local` says to a wrong command line."""

import sys

import pytest

from infra.local.__main__ import main


@pytest.mark.parametrize("port", ["abc", "-1", "65536", "8000.5"])
def test_a_port_that_is_none_is_told_in_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], port: str
) -> None:
    monkeypatch.setenv("PORT", port)
    monkeypatch.setattr(sys, "argv", ["python -m infra.local", "up"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert f"'{port}' is no port" in capsys.readouterr().err
