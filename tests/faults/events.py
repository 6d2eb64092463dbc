"""Hands the bucket's events on as badly as S3 may: several times, out of order, late, and some never."""

import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tests.faults.product import RAW_EVENTS

MOST_COPIES = 5
MOST_HELD = 40
HELD_SECONDS = 1.5


@dataclass
class BadPostman:
    """Takes events from the run's own queue and delivers them to `intake`. Good from `be_good` on."""

    sqs: Any
    dice: random.Random
    dropped_share: float = 0.08
    taken: int = 0
    delivered: int = 0
    dropped: int = 0
    _held: list[tuple[float, str]] = field(default_factory=list)
    _good: threading.Event = field(default_factory=threading.Event)
    _stopping: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Begin to work in the background."""
        self._from = self.sqs.get_queue_url(QueueName=RAW_EVENTS.name)["QueueUrl"]
        self._to = self.sqs.get_queue_url(QueueName="intake")["QueueUrl"]
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def be_good(self) -> None:
        """Deliver each event once from now on, those that are held as well."""
        self._good.set()

    def stop(self) -> None:
        """End the background work."""
        self._stopping.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                self._take()
                self._deliver_due()
            except (BotoCoreError, ClientError):  # the stand-in may be starting again
                self._stopping.wait(0.2)

    def _take(self) -> None:
        answer = self.sqs.receive_message(QueueUrl=self._from, MaxNumberOfMessages=10, WaitTimeSeconds=0)
        messages = answer.get("Messages", [])
        for message in messages:
            self._accept(message["Body"])
            self.sqs.delete_message(QueueUrl=self._from, ReceiptHandle=message["ReceiptHandle"])
        if not messages:
            self._stopping.wait(0.05)

    def _accept(self, body: str) -> None:
        self.taken += 1
        if self._good.is_set():
            self._held.append((0.0, body))
        elif self.dice.random() < self.dropped_share:
            self.dropped += 1
        else:
            now = time.monotonic()
            self._held += [
                (now + self.dice.random() * HELD_SECONDS, body) for _ in range(self.dice.randint(1, MOST_COPIES))
            ]

    def _deliver_due(self) -> None:
        now, everything = time.monotonic(), self._good.is_set() or len(self._held) > MOST_HELD
        due = [entry for entry in self._held if everything or entry[0] <= now]
        self.dice.shuffle(due)
        for entry in due:
            self.sqs.send_message(QueueUrl=self._to, MessageBody=entry[1])
            self._held.remove(entry)
            self.delivered += 1
