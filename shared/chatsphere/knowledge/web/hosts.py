"""How one host is treated: at its pace, and by the rules of its robots.txt."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from time import monotonic
from typing import Final
from uuid import UUID

from chatsphere.db.database import Database
from chatsphere.errors import UrlUnreachableError, WebError
from chatsphere.knowledge.web import hosts_queries as queries
from chatsphere.knowledge.web.errors import RobotsUnreachableError
from chatsphere.knowledge.web.robots import EVERYTHING, Robots
from chatsphere.knowledge.web.urls import WebUrl
from chatsphere.ports.system import Clock
from chatsphere.ports.web import PageFetcher, WebAnswer
from chatsphere.settings import WebSettings

ROBOTS_KEPT: Final = timedelta(hours=1)
MAX_HOSTS: Final = 1000
"""Hosts of an organization that something is known of: each may have a robots.txt of 500 KB."""

MAX_RETRY_AFTER: Final = timedelta(hours=1)
MAX_PAUSE: Final = 1.0
"""Seconds that a worker waits for its turn; for longer it puts its message back."""

REDIRECTS: Final = (301, 302, 303, 307, 308)


class NotItsTurnError(Exception):
    """The host may not be asked for so many `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Budget:
    """The seconds that one step may spend with the web, all its requests together."""

    deadline: float

    @classmethod
    def of(cls, seconds: float) -> "Budget":
        """Begin now."""
        return cls(monotonic() + seconds)

    @property
    def left(self) -> float:
        """Seconds left.

        Raises:
            UrlUnreachableError: none are.
        """
        left = self.deadline - monotonic()
        if left <= 0:
            raise UrlUnreachableError("The URL's host took too long.")
        return left


@dataclass(frozen=True, slots=True)
class Hosts:
    """Asks hosts for one organization. `pause` waits for so many seconds."""

    database: Database
    fetcher: PageFetcher
    clock: Clock
    settings: WebSettings
    pause: Callable[[float], None]

    def get(
        self,
        organization_id: UUID,
        url: WebUrl,
        budget: Budget,
        *,
        delay: float = 0.0,
        etag: str | None = None,
        last_modified: str | None = None,
    ) -> WebAnswer:
        """Make one request when it is its turn; the host is left alone afterwards for `delay` seconds at least.

        Raises:
            NotItsTurnError: it is not, for longer than a worker waits.
            WebError: see `PageFetcher.fetch`.
        """
        self._take_turn(organization_id, url.origin, max(delay, 1 / self.settings.web_requests_per_second))
        answer = self.fetcher.fetch(str(url), seconds=budget.left, etag=etag, last_modified=last_modified)
        if wish := self._wished_pause(answer):
            self._leave_alone(organization_id, url.origin, wish)
        return answer

    def robots(self, organization_id: UUID, url: WebUrl, budget: Budget) -> Robots:
        """Return the rules of the URL's host: kept ones, or fetched now.

        Raises:
            RobotsUnreachableError: they cannot be read at the moment.
            NotItsTurnError: as `get`.
        """
        values = {"origin": url.origin, "now": self.clock.now()}
        with self.database.transaction(organization_id) as connection:
            row = connection.execute(queries.KNOWN_ROBOTS, values).fetchone()
        if row is not None:
            return Robots(row["robots"], self.settings.web_user_agent)
        robots = self._fetch_robots(organization_id, url, budget)
        values |= {"robots": robots.text, "until": self.clock.now() + ROBOTS_KEPT}
        with self.database.transaction(organization_id) as connection:
            connection.execute(queries.KEEP_ROBOTS, values)
            connection.execute(queries.FORGET_HOSTS, {"kept": MAX_HOSTS})
        return robots

    def _fetch_robots(self, organization_id: UUID, url: WebUrl, budget: Budget) -> Robots:
        """RFC 9309: what is not there permits all; what cannot be reached, nothing."""
        place: WebUrl | None = url.join("/robots.txt", self._private)
        for _ in range(self.settings.web_max_redirects + 1):
            if place is None:
                break
            try:
                answer = self.get(organization_id, place, budget)
            except WebError as error:
                raise RobotsUnreachableError from error
            if answer.status in REDIRECTS:
                place = place.join(answer.location or "", self._private)
            elif 200 <= answer.status < 300:
                return Robots.read(answer.body, self.settings.web_user_agent)
            elif answer.status >= 500 or answer.status == 429:
                raise RobotsUnreachableError
            else:
                break
        return Robots(EVERYTHING, self.settings.web_user_agent)

    def _take_turn(self, organization_id: UUID, origin: str, interval: float) -> None:
        now = self.clock.now()
        values = {"origin": origin, "now": now}
        with self.database.transaction(organization_id) as connection:
            connection.execute(queries.KNOW_HOST, values)
            row = connection.execute(queries.HOLD_HOST, values).fetchone()
            turn = max(now, row["next_request_at"]) if row else now
            wait = (turn - now).total_seconds()
            if wait > MAX_PAUSE:
                raise NotItsTurnError(wait)
            connection.execute(queries.TAKE_TURN, values | {"next_request_at": turn + timedelta(seconds=interval)})
        if wait > 0:
            self.pause(wait)

    def _leave_alone(self, organization_id: UUID, origin: str, wish: timedelta) -> None:
        with self.database.transaction(organization_id) as connection:
            connection.execute(queries.LEAVE_ALONE, {"origin": origin, "until": self.clock.now() + wish})

    def _wished_pause(self, answer: WebAnswer) -> timedelta | None:
        if answer.status not in (429, 503) or answer.retry_after is None:
            return None
        text = answer.retry_after.strip()
        if text.isdecimal():
            seconds = float(text[:9])
        else:
            try:
                moment = parsedate_to_datetime(text)
            except (ValueError, OverflowError):
                return None
            seconds = (_aware(moment) - self.clock.now()).total_seconds()
        return min(MAX_RETRY_AFTER, timedelta(seconds=max(0.0, seconds)))

    @property
    def _private(self) -> frozenset[str]:
        return self.settings.private_hosts


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
