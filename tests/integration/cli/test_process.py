"""The command line as a process of its own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.integration.cli.fake_api import FakeApi

# As at a terminal: what runs the tests in the background may have had SIGINT ignored, which children inherit.
PROGRAM = """
import signal
from chatsphere.cli.main import run
signal.signal(signal.SIGINT, signal.default_int_handler)
run()
"""
DEADLINE_SECONDS = 30.0


def start(*arguments: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", PROGRAM, *map(str, arguments)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, encoding="utf-8", errors="replace")


@pytest.mark.skipif(sys.platform == "win32", reason="no signals")
def test_ctrl_c_ends_a_wait_at_once_and_quietly(known: FakeApi, tmp_path: Path) -> None:
    # Given a drop that waits for a document which never becomes ready
    bot = known.state.add_bot("Ada")
    path = tmp_path / "stuck.txt"
    path.write_text("text")
    process = start("drop", path)
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not any(request.path.startswith(f"/v1/bots/{bot['id']}/documents/") for request in known.state.requests):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)

    # When it is interrupted
    process.send_signal(signal.SIGINT)

    # Then it ends without a word
    assert process.communicate(timeout=DEADLINE_SECONDS) == ("", "")
    assert process.returncode == 130


def test_a_terminal_of_another_encoding_gets_question_marks(known: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    known.state.add_bot("Ада")
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")

    text, as_json = start("bots", "list"), start("bots", "list", "--json")

    assert "???" in text.communicate(timeout=DEADLINE_SECONDS)[0]
    assert "\\u0410" in as_json.communicate(timeout=DEADLINE_SECONDS)[0]
    assert (text.returncode, as_json.returncode) == (0, 0)


@pytest.mark.skipif(sys.platform == "win32", reason="no head")
def test_a_reader_that_leaves_is_no_error_worth_words(known: FakeApi) -> None:
    for number in range(2000):
        known.state.add_bot(f"bot {number}")
    process = start("bots", "list", "--json")
    assert process.stdout is not None
    os.close(process.stdout.fileno())
    process.stdout = None

    _, err = process.communicate(timeout=DEADLINE_SECONDS)

    assert err == ""
    assert process.returncode == 1
