"""Files on their way into a bot: announced to the API, then posted to the store that it names."""

import hashlib
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, cast
from urllib.parse import urlsplit

import httpx

from chatsphere.cli.client import Client, JsonObject
from chatsphere.cli.errors import CliError
from chatsphere.cli.files import LocalFile
from chatsphere.cli.ingestion import Sent
from chatsphere.cli.retry import RetryPolicy
from chatsphere.cli.transport import is_loopback

TIMEOUT = httpx.Timeout(60.0, connect=10.0)
_S3_CODE = re.compile(r"<Code>([^<]{1,100})</Code>")


class UploadError(CliError):
    """A file did not reach the store."""

    default_code = "upload_failed"


def open_store(api: str) -> httpx.Client:
    """Return the connections to the store; apart from the API's, whose credential it is not to see."""
    # The store of a one-machine run is on the same machine.
    return httpx.Client(timeout=TIMEOUT, trust_env=not is_loopback(api))


@dataclass(frozen=True)
class Uploader:
    """Sends files into one bot. Threads share it; `on_bytes` hears of progress, negative when a try starts anew."""

    client: Client
    bot_id: str
    on_bytes: Callable[[int], None]
    stopped: threading.Event
    store: httpx.Client
    policy: RetryPolicy = field(default_factory=RetryPolicy)

    def send(self, file: LocalFile) -> Sent:
        """Announce and post a file.

        Raises:
            CliError: the file cannot be read, or the API or the store does not take it.
        """
        try:
            size = file.path.stat().st_size
            if not size:
                raise UploadError("The file is empty.", code="empty")
            announced = {"name": file.name, "content_type": file.content_type, "size": size}
            answer = self.client.post(f"/bots/{self.bot_id}/documents", announced, repeatable=True)
            sha256 = self._post(answer["upload"], file, size)
        except OSError as error:
            raise UploadError(f"{file.path} cannot be read: {error.strerror}", code="unreadable") from error
        return Sent(answer["document"], sha256)

    def _post(self, upload: JsonObject, file: LocalFile, size: int) -> str:
        return post_file(self.store, upload, file, size, self.on_bytes, self.stopped, self.policy)


def post_file(
    store: httpx.Client,
    upload: JsonObject,
    file: LocalFile,
    size: int,
    on_bytes: Callable[[int], None],
    stopped: threading.Event,
    policy: RetryPolicy,
) -> str:
    """Post a form with a file of this size; return the content's SHA-256 in hexadecimal.

    Raises:
        UploadError: the store does not take it.
        OSError: it cannot be read.
    """
    attempt = 1
    while True:
        with file.path.open("rb") as opened:
            body = _Measured(opened, size, on_bytes, stopped)
            problem = _try(store, upload, file, body)
        if problem is None:
            return body.sha256.hexdigest()
        on_bytes(-body.sent)
        attempt += 1
        wait = policy.wait_before(attempt) if problem.again else None
        if wait is None or stopped.wait(wait):
            raise problem.error


@dataclass(frozen=True, slots=True)
class _Problem:
    error: UploadError
    again: bool


def _try(store: httpx.Client, upload: JsonObject, file: LocalFile, body: "_Measured") -> _Problem | None:
    """Post the form once."""
    url = str(upload["url"])
    try:
        # The file last: S3 ignores what comes after it. The cast: httpx only reads and asks for the length.
        form = {"file": (file.path.name, cast(IO[bytes], body), file.content_type)}
        answer = store.post(url, data=upload["fields"], files=form)
    except httpx.LocalProtocolError:
        return _Problem(UploadError("The file changed while it was read.", code="file_changed"), again=False)
    except httpx.TransportError as error:
        host = urlsplit(url).netloc
        return _Problem(UploadError(f"The connection to {host} broke: {error}".rstrip(": ")), again=True)
    if answer.status_code < 300:
        return None
    code = _S3_CODE.search(answer.text)
    reason = code[1] if code else f"status {answer.status_code}"
    again = answer.status_code in (429, 500, 502, 503, 504)
    return _Problem(UploadError(f"The store did not take the file: {reason}."), again=again)


class _Measured:
    """A file as httpx reads it: at most as long as announced, hashed and counted as it goes."""

    def __init__(self, file: IO[bytes], size: int, on_bytes: Callable[[int], None], stopped: threading.Event) -> None:
        self.sha256 = hashlib.sha256()
        self.sent = 0
        self._file = file
        self._size = size
        self._on_bytes = on_bytes
        self._stopped = stopped

    def fileno(self) -> int:
        """Return the descriptor: httpx asks it for the length, which S3 must know beforehand."""
        return self._file.fileno()

    def read(self, count: int = -1) -> bytes:
        """Return the next bytes; none once the command has been interrupted, which ends the request."""
        left = self._size - self.sent
        block = b"" if self._stopped.is_set() else self._file.read(left if count < 0 else min(count, left))
        self.sha256.update(block)
        self.sent += len(block)
        self._on_bytes(len(block))
        return block
