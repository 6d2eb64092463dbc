"""What an instance keeps, and that it keeps it alone."""

import errno
import json
import stat
from io import FileIO
from pathlib import Path

import pytest

from infra.local.errors import HomeInUseError, HomeNotUsableError
from infra.local.home import Home
from infra.local.log_file import LogFile
from infra.local.ports import is_free, listening_socket
from infra.local.token_keys import token_keys


def test_second_instance_in_the_same_home_is_refused(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with home.locked(), pytest.raises(HomeInUseError, match="CHATSPHERE_HOME"), home.locked():
        pass
    with home.locked():
        pass


@pytest.mark.parametrize("below", ["", "home"])
def test_a_file_in_place_of_the_folder_is_told_in_words(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").touch()
    home = Home(tmp_path / "file" / below)
    with pytest.raises(HomeNotUsableError, match="set CHATSPHERE_HOME"), home.locked():
        pass


def test_secrets_are_kept_and_private(tmp_path: Path) -> None:
    first, second = Home(tmp_path).secret("a"), Home(tmp_path).secret("a")
    assert first == second != Home(tmp_path).secret("b")
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600


def test_port_is_kept_while_it_is_free(tmp_path: Path) -> None:
    port = Home(tmp_path).port("s3")
    assert Home(tmp_path).port("s3") == port
    with listening_socket(port):
        assert not is_free(port)
        assert Home(tmp_path).port("s3") != port


def test_listener_keeps_its_port_while_nobody_takes_it(tmp_path: Path) -> None:
    with Home(tmp_path).listener("s3") as first:
        kept = first.getsockname()[1]
        with Home(tmp_path).listener("s3") as other:
            assert other.getsockname()[1] != kept
            newest = other.getsockname()[1]
    with Home(tmp_path).listener("s3") as again:
        assert again.getsockname()[1] == newest


def test_token_keys_are_a_private_es256_set_kept_across_starts(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    kept = token_keys(path)
    assert token_keys(path) == kept
    (key,) = json.loads(kept)["keys"]
    assert (key["kty"], key["crv"], key["alg"]) == ("EC", "P-256", "ES256")
    assert {"d", "kid"} <= key.keys()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_line_that_the_disk_has_no_room_for_ends_nobody(tmp_path: Path) -> None:
    full = tmp_path / "full.log"
    full.symlink_to("/dev/full")
    log = LogFile(full)

    log.write(b"the reason\n")

    assert log.tail() == "the reason"


def test_a_disk_that_is_full_when_a_file_is_begun_ends_no_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(_: LogFile) -> FileIO:
        raise OSError(errno.ENOSPC, "No space left on device")

    log = LogFile(tmp_path / "a.log", max_bytes=10)
    log.write(b"the first\n")
    with monkeypatch.context() as full:
        full.setattr(LogFile, "_open", no_room)
        log.write(b"is lost\n")

    log.write(b"the next\n")

    assert (tmp_path / "a.log").read_bytes() == b"the next\n"


def test_log_is_capped_and_remembers_its_end(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "a.log", max_bytes=100)
    for n in range(50):
        log.write(b"line %02d\n" % n)
    assert log.tail().endswith("line 48\nline 49")
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 200
    assert (tmp_path / "a.log").read_bytes().endswith(b"line 49\n")
