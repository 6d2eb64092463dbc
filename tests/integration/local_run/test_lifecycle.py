"""Starting, stopping, killing and restarting whole instances."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest

from infra.local.errors import LocalRunError
from infra.local.instance import start, stop, wait_until_ready
from infra.local.ports import listening_socket
from tests.integration.local_run.toys import Toys
from tests.waiting import wait_for

BUCKET = "chatsphere-uploads"


@contextmanager
def started(toys: Toys) -> Iterator[subprocess.Popen[bytes]]:
    process = toys.start()
    try:
        yield process
    finally:
        stop(process)


def ports(toys: Toys) -> list[int]:
    urls = (toys.endpoints.api, toys.endpoints.s3_endpoint, toys.endpoints.database_url)
    return [urlsplit(url).port or 0 for url in urls]


def all_gone(processes: list[psutil.Process]) -> bool:
    return not any(is_alive(process) for process in processes)


def processes_in(home: Path) -> list[list[str]]:
    """The commands that work in a home. Its ports tell less: whoever comes next may be given the same."""
    commands = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    return [command for command in commands if any(str(home) in part for part in command)]


def is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def kill(victims: list[psutil.Process]) -> None:
    for victim in victims:
        with suppress(psutil.NoSuchProcess):  # it ended with its parent
            victim.kill()
    wait_for(lambda: all_gone(victims), what="the end of the killed")


def end_input(process: subprocess.Popen[bytes]) -> None:
    """Do what the end of the process that started the instance does, also one by SIGKILL."""
    assert process.stdin is not None
    process.stdin.close()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, end_input], ids=["sigterm", "sigint", "end-of-starter"])
def test_stop_leaves_no_process_and_no_port(
    folder: Path, how: signal.Signals | Callable[[subprocess.Popen[bytes]], None]
) -> None:
    toys = Toys(folder)
    with started(toys) as process:
        processes = toys.processes()
        assert len(processes) > 8
        assert processes_in(toys.home)
        if isinstance(how, signal.Signals):
            process.send_signal(how)
        else:
            how(process)
        assert process.wait(60) == 0
    assert all_gone(processes)
    assert processes_in(toys.home) == []
    assert not (toys.home / "endpoints.json").exists()


def test_stop_while_starting(folder: Path) -> None:
    toys = Toys(folder)
    process = start(toys.home, 0, toys.command())
    wait_for(lambda: psutil.Process(process.pid).children(), what="the first child")
    children = psutil.Process(process.pid).children(recursive=True)
    assert stop(process) == 0
    wait_for(lambda: all_gone(children), what="the end of all children")


def test_two_instances_side_by_side(folder: Path, toys: Toys) -> None:
    (folder / "other").mkdir()
    other = Toys(folder / "other")
    with started(other), other.http() as http:
        assert set(ports(other)).isdisjoint(ports(toys))
        assert http.get("/public").status_code == 200
        other.s3().put_object(Bucket=BUCKET, Key="only-here", Body=b"x")
        assert "Contents" not in toys.s3().list_objects_v2(Bucket=BUCKET, Prefix="only-here")


def test_second_instance_in_the_same_home_is_refused(toys: Toys) -> None:
    result = subprocess.run(
        [*toys.command(), "--home", str(toys.home), "--port", "0"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert "another instance" in result.stderr
    with toys.http() as http:
        assert http.get("/public").status_code == 200


def test_busy_port_is_named(folder: Path) -> None:
    toys = Toys(folder)
    with listening_socket(0) as listener:
        port = listener.getsockname()[1]
        process = start(toys.home, port, toys.command())
        with pytest.raises(LocalRunError, match=f"port {port} cannot be used"):
            wait_until_ready(process, toys.home)
    assert stop(process) == 1


def test_everything_survives_the_kill_of_the_whole_tree(folder: Path) -> None:
    toys = Toys(folder)
    key = "o/b/../ü//" + "x" * 200
    first = toys.start()
    with psycopg.connect(toys.endpoints.database_url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    toys.s3().put_object(Bucket=BUCKET, Key=key, Body=b"data", ContentType="text/x")
    toys.s3().put_object(Bucket=BUCKET, Key="deleted", Body=b"data")
    toys.s3().delete_object(Bucket=BUCKET, Key="deleted")
    s3_endpoint = toys.endpoints.s3_endpoint
    victims = toys.processes()
    kill(victims)
    first.wait()

    with started(toys):
        assert toys.endpoints.s3_endpoint == s3_endpoint
        found = toys.s3().get_object(Bucket=BUCKET, Key=key)
        assert (found["Body"].read(), found["ContentType"]) == (b"data", "text/x")
        names = [entry["Key"] for entry in toys.s3().list_objects_v2(Bucket=BUCKET)["Contents"]]
        assert names == [key]
        with psycopg.connect(toys.endpoints.database_url) as connection:
            assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_work_of_a_killed_run_is_taken_up_again(folder: Path) -> None:
    toys = Toys(folder)
    first = toys.start()
    versions = {}
    for key in ("known", "lost"):
        versions[key] = toys.s3().put_object(Bucket=BUCKET, Key=key, Body=b"data")["VersionId"]
        toys.wait_for_event(key, "ObjectCreated:Put")
    with psycopg.connect(toys.endpoints.database_url) as connection:
        leased = "INSERT INTO documents VALUES ('known', %s, 'extracting', now() + interval '1 hour')"
        connection.execute(leased, (versions["known"],))
    kill(toys.processes())
    first.wait()

    def events(key: str) -> int:
        return len([note for note in toys.notes("event") if note["s3"]["object"]["key"] == key])

    with started(toys):
        wait_for(lambda: events("lost") == 2, what="the lost object's second event")
        assert events("known") == 1
        with psycopg.connect(toys.endpoints.database_url) as connection:
            void = "SELECT count(*) FROM documents WHERE lease_expires_at <= now()"
            assert connection.execute(void).fetchone() == (1,)


def test_kill_of_the_supervisor_ends_everything(folder: Path) -> None:
    toys = Toys(folder)
    process = toys.start()
    processes = toys.processes()
    process.kill()
    process.wait()
    wait_for(lambda: all_gone(processes), what="the end of the tree")
    with started(toys), toys.http() as http:
        assert http.get("/public").status_code == 200


def test_killed_parts_are_restarted(folder: Path) -> None:
    toys = Toys(folder)
    with started(toys), toys.http() as http:
        toys.s3().put_object(Bucket=BUCKET, Key="kept", Body=b"data")
        toys.wait_for_event("kept", "ObjectCreated:Put")
        stand_in, postgres, worker = toys.stand_in(), postmaster(toys), toys.worker("echo")
        kill([stand_in, postgres, worker])

        assert http.get("/public").json()["pid"] != worker.pid
        wait_for(lambda: can_read(toys, "kept"), what="the restarted stand-in")
        wait_for(lambda: can_connect(toys), what="the restarted database")
        toys.send("after")
        toys.wait_for_notes("after", bool)


def postmaster(toys: Toys) -> psutil.Process:
    return psutil.Process(int((toys.home / "postgres" / "postmaster.pid").read_text().splitlines()[0]))


def can_read(toys: Toys, key: str) -> bool:
    try:
        return toys.s3().get_object(Bucket=BUCKET, Key=key)["Body"].read() == b"data"
    except Exception:
        return False


def can_connect(toys: Toys) -> bool:
    try:
        psycopg.connect(toys.endpoints.database_url).close()
    except psycopg.OperationalError:
        return False
    return True


def test_works_as_this_user(toys: Toys) -> None:
    """PostgreSQL never runs as root, whoever runs the tests."""
    owner = postmaster(toys).uids().real
    assert owner != 0
    assert os.geteuid() == 0 or owner == os.geteuid()
