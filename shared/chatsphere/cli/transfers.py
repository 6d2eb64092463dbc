"""Files of bots on their way to and from the API's store, with progress."""

import hashlib
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import httpx

from chatsphere.cli.client import JsonObject
from chatsphere.cli.errors import CliError
from chatsphere.cli.files import LocalFile
from chatsphere.cli.formatting import size as readable
from chatsphere.cli.progress import bars
from chatsphere.cli.retry import RetryPolicy
from chatsphere.cli.session import Session
from chatsphere.cli.uploads import open_store, post_file

FIRST_PAUSE_SECONDS: Final = 0.1
LONGEST_PAUSE_SECONDS: Final = 5.0

_BLOCK_BYTES: Final = 1024 * 1024


class TransferFailedError(CliError):
    """The API could not make the file, or not make a bot of it."""

    default_code = "transfer_failed"


def follow(session: Session, label: str, path: str, is_over: Callable[[JsonObject], bool]) -> JsonObject:
    """Show how many documents are done until it is over; return what the API says then. An API that is being restarted
    is waited for: what is followed goes on afterwards.

    Raises:
        TransferFailedError: it has failed.
    """
    client, pause = session.client.patient(), FIRST_PAUSE_SECONDS
    with bars(session.output) as shown:
        step = shown.add(label, 0)
        while True:
            now = client.get(path)
            step(now["documents_done"], str(now["status"]), total=now["documents_total"] or 0)
            if now["status"] in ("failed", "expired"):
                raise TransferFailedError(str(now["error_message"] or now["status"]), code=now["error_code"])
            if is_over(now):
                return now
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def download(session: Session, url: str, target: Path, sha256: str, size: int) -> None:
    """Write the file to `target`, which appears when all of it is there and is what the API says it is.

    Raises:
        CliError: it cannot be had, or is another file.
    """
    partial = target.with_name(f"{target.name}.partial")
    digest, received = hashlib.sha256(), 0
    try:
        with open_store(session.target.api) as store, bars(session.output) as shown, partial.open("wb") as file:
            step = shown.add(target.name, size, readable)
            with store.stream("GET", url) as answer:
                answer.raise_for_status()
                for block in answer.iter_bytes(_BLOCK_BYTES):
                    file.write(block)
                    digest.update(block)
                    received += len(block)
                    step(received)
        if digest.hexdigest() != sha256:
            raise TransferFailedError("The file that came is not the one that was made.", code="damaged_download")
        partial.replace(target)
    except httpx.HTTPError as error:
        raise TransferFailedError(f"The file could not be downloaded: {error}", code="download_failed") from None
    except OSError as error:
        raise CliError(f"{target} cannot be written: {error.strerror}", code="unwritable") from None
    finally:
        partial.unlink(missing_ok=True)


def upload(session: Session, form: dict[str, Any], source: Path) -> None:
    """Post the file to where the API says.

    Raises:
        CliError: it cannot be read, or the store does not take it.
    """
    size = source.stat().st_size
    sent = 0
    with open_store(session.target.api) as store, bars(session.output) as shown:
        step = shown.add(source.name, size, readable)

        def on_bytes(count: int) -> None:
            nonlocal sent
            sent += count
            step(sent)

        file = LocalFile(source, source.name)
        post_file(store, form, file, size, on_bytes, threading.Event(), RetryPolicy())
