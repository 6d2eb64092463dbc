"""What goes on in another execution environment while an answer is written: its own connection, its own application."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from chatsphere.adapters.system import SystemClock
from chatsphere.chat.answer_routes import FollowPace
from chatsphere.chat.asgi import chat_app
from chatsphere.chat.interrupted import AnswerReaper
from chatsphere.chat.services import Services
from chatsphere.chat.under_way import WRITTEN_WITHIN
from chatsphere.chat.watching import WatchPace
from chatsphere.db.database import Database
from tests.conftest import Tenant
from tests.integration.chat.client import ChatClient
from tests.postgres import DatabaseUrls
from tests.waiting import wait_for

QUICK = WatchPace(look_seconds=0.01, checkpoint_seconds=0.02)
FOLLOW = FollowPace(look_seconds=0.01)


@dataclass
class LaterClock:
    """A clock that goes before, or after, that of the machine."""

    ahead: timedelta = timedelta(0)

    def now(self) -> datetime:
        return SystemClock().now() + self.ahead


AFTER_EXPIRY = LaterClock(WRITTEN_WITHIN + timedelta(seconds=5))


@dataclass
class Elsewhere:
    """Another environment of the same deployment."""

    services: Services
    tenant: Tenant
    urls: DatabaseUrls

    @property
    def client(self) -> ChatClient:
        return ChatClient(chat_app(lambda: self.services, heartbeat_seconds=0.05, follow_pace=FOLLOW), self.tenant)

    def later(self) -> "Elsewhere":
        """The same, when nobody can be writing any more what is written now."""
        return replace(self, services=replace(self.services, clock=AFTER_EXPIRY))

    def under_way(self) -> list[Mapping[str, Any]]:
        with self.services.database.transaction(self.tenant.organization_id) as connection:
            return list(connection.execute("SELECT * FROM answers_under_way ORDER BY asked_at").fetchall())

    def message_id(self) -> str:
        """The answer that is being written."""
        return str(self.under_way()[-1]["message_id"])

    def with_timer(self, timer: Callable[[], float]) -> "Elsewhere":
        """The same, by another stopwatch."""
        return replace(self, services=replace(self.services, timer=timer))

    def wait_for_answer(self) -> None:
        """Wait until an answer is being written."""
        wait_for(self.under_way, what="an answer to be under way")

    def wait_for_text(self, text: str) -> None:
        """Wait until this much of the answer has been noted."""
        wait_for(lambda: self.under_way()[-1]["progress"].get("text") == text, what="the answer to be noted")

    def reap(self) -> int:
        """Look across tenants, as the schedule does."""
        with closing(Database(self.urls.reaper)) as reaper:
            return AnswerReaper(reaper, self.services.database, self.services.clock, self.services.ids).reap()


@contextmanager
def elsewhere(services: Services, tenant: Tenant, urls: DatabaseUrls) -> Iterator[Elsewhere]:
    """Open another environment."""
    with closing(Database(urls.app)) as database:
        yield Elsewhere(replace(services, database=database, clock=LaterClock()), tenant, urls)
