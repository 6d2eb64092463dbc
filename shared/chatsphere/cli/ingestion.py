"""Following documents until each is ready or has failed, at a price that does not grow with their number."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from chatsphere.cli.errors import CliError
from chatsphere.cli.progress import nothing_to_show

if TYPE_CHECKING:
    from chatsphere.cli.client import JsonObject
    from chatsphere.cli.progress import SetCount
    from chatsphere.cli.watch import Watch

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Sent:
    """A document that the API has taken; `sha256` is that of the bytes sent, where they are a file's."""

    document: "JsonObject"
    sha256: str | None = None


@dataclass(slots=True)
class Outcome:
    """What became of one document: its last state, or why it never became one."""

    started: float
    document: "JsonObject | None" = None
    error: CliError | None = None
    finished: float | None = None

    @property
    def status(self) -> str:
        """The document's status; `failed` where it was not even taken."""
        return "failed" if self.document is None else str(self.document["status"])

    @property
    def error_code(self) -> str | None:
        """Why it failed."""
        return self.error.code if self.error else (self.document or {}).get("error_code")

    @property
    def error_message(self) -> str | None:
        """Why it failed, in words."""
        return self.error.detail if self.error else (self.document or {}).get("error_message")


@dataclass
class Ingestion(Generic[Key]):
    """Sends documents, a few at a time, and follows them. `timeout` is in seconds after the last was sent."""

    watch: "Watch"
    workers: int
    timeout: float
    on_sent: Callable[[], None] = lambda: None
    on_settled: "SetCount" = nothing_to_show
    outcomes: dict[Key, Outcome] = field(default_factory=dict)
    _keys: dict[str, Key] = field(default_factory=dict)

    def run(self, jobs: Mapping[Key, Callable[[], Sent]], *, follow: bool = True) -> dict[Key, Outcome]:
        """Send everything and return what became of it; a document that is refused does not stop the others."""
        executor = ThreadPoolExecutor(self.workers, thread_name_prefix="send")
        try:
            pending = {executor.submit(self._send, key, job): key for key, job in jobs.items()}
            self._collect(pending, follow=follow)
        except BaseException:
            # Ctrl-C: what has not begun does not begin, and nobody waits for what has.
            executor.shutdown(wait=False, cancel_futures=True)
            raise
        executor.shutdown()
        if follow:
            self._follow_to_the_end()
        return self.outcomes

    def _send(self, key: Key, job: Callable[[], Sent]) -> Sent:
        self.outcomes[key] = Outcome(started=time.monotonic())
        return job()

    def _collect(self, pending: "dict[Future[Sent], Key]", *, follow: bool) -> None:
        """Take what has been sent while more is under way; look after the earlier ones in between."""
        while pending:
            done, _ = wait(pending, timeout=self.watch.pause, return_when=FIRST_COMPLETED)
            for future in done:
                self._take(pending.pop(future), future, follow=follow)
            if follow and self.watch.due:
                self._look()

    def _take(self, key: Key, future: "Future[Sent]", *, follow: bool) -> None:
        outcome = self.outcomes[key]
        try:
            sent = future.result()
        except CliError as error:
            outcome.error, outcome.finished = error, time.monotonic()
        else:
            outcome.document = sent.document
            if follow:
                self._keys[str(sent.document["id"])] = key
                self.watch.add(sent)
        self.on_sent()

    def _follow_to_the_end(self) -> None:
        deadline = time.monotonic() + self.timeout
        while self.watch.outstanding and time.monotonic() < deadline:
            time.sleep(min(self.watch.pause, max(0.0, deadline - time.monotonic())))
            self._look()
        if self.watch.outstanding:
            self.watch.settle()
            self._record()
        for outcome in self.outcomes.values():
            if outcome.finished is None:
                outcome.error = CliError(f"It was not done after {self.timeout:g} s of waiting.", code="timeout")

    def _look(self) -> None:
        self.watch.poll()
        self._record()

    def _record(self) -> None:
        for document_id, (document, at) in self.watch.states.items():
            outcome = self.outcomes[self._keys[document_id]]
            outcome.document = document
            outcome.finished = at
        self.on_settled(self.watch.done, self.watch.doing)
