"""How often credentials may be tried: from one client address, and for one account whether it exists or not."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final
from uuid import UUID

from chatsphere.db.database import Connection, Database
from chatsphere.db.origin import current_origin
from chatsphere.errors import TooManyTriesError
from chatsphere.identity import throttle_queries as queries
from chatsphere.observability import Metric, record
from chatsphere.ports.system import Clock
from chatsphere.settings import CredentialThrottleSettings

FORGOTTEN_AFTER: Final = timedelta(days=1)
WINDOW: Final = timedelta(minutes=1)

Subject = bytes
"""What tries are counted of. A hash: the table tells nobody's address."""


def login_subject(email: str) -> Subject:
    """Return what tries of an address's password are counted of."""
    return _subject("account", email.strip().lower())


def login_subject_from(email: str, network: str) -> Subject:
    """Return what tries are counted of that come from where the account's person was logged in lately."""
    return login_subject(email) + _subject("network", network)


def second_factor_subject(user_id: UUID) -> Subject:
    """Return what tries of a person's codes are counted of. Whoever has the password cannot have it forgotten."""
    return _subject("mfa", str(user_id))


def confirmation_subject(user_id: UUID) -> Subject:
    """Return what tries of a person who is logged in are counted of: a stolen session does not guess the password."""
    return _subject("confirmation", str(user_id))


@dataclass(frozen=True, slots=True)
class CredentialThrottle:
    """Counts each try before the credential is looked at, so that many at once do not get past the limit.

    After `login_free_tries` failures an account waits a second, then two, four and so on. A success forgets them.
    Passwords that come from a network where the account's person was logged in lately are counted of it alone, or
    whoever fails on purpose from anywhere would keep the person from logging in.
    """

    database: Database
    clock: Clock
    settings: CredentialThrottleSettings

    def admit(self, account: Subject | None = None) -> None:
        """Count a try from the address of this request and, where there is one, of an account.

        Raises:
            TooManyTriesError: there were too many; this one must not be looked at.
        """
        now = self.clock.now()
        with self.database.transaction(None) as connection:
            wait = self._take_from_bucket(connection, now)
            if wait is None and account is not None:
                wait = self._count_try(connection, account, now)
            _clean_up(connection, now)
        _refuse(wait)

    def admit_login(self, email: str) -> Subject:
        """Count a try of an address's password, and return what it was counted of.

        Raises:
            TooManyTriesError: there were too many; this one must not be looked at.
        """
        now, network = self.clock.now(), _network(current_origin().address)
        account = login_subject(email)
        with self.database.transaction(None) as connection:
            wait = self._take_from_bucket(connection, now)
            # Asked also of nobody's address, so that each takes the same work.
            rows = connection.execute(queries.KNOWN_ADDRESSES, {"email": email, "now": now}).fetchall()
            if any(_network(row["address"]) == network for row in rows):
                account = login_subject_from(email, network)
            if wait is None:
                wait = self._count_try(connection, account, now)
            _clean_up(connection, now)
        _refuse(wait)
        return account

    def count(self, account: Subject) -> None:
        """Count a try of an account whose person is logged in.

        Raises:
            TooManyTriesError: there were too many; this one must not be looked at.
        """
        now = self.clock.now()
        with self.database.transaction(None) as connection:
            wait = self._count_try(connection, account, now)
            _clean_up(connection, now)
        _refuse(wait)

    def _take_from_bucket(self, connection: Connection, now: datetime) -> timedelta | None:
        subject = _subject("origin", _network(current_origin().address))
        interval = WINDOW / self.settings.credential_tries_per_minute
        values = {"subject": subject, "now": now, "interval": interval}
        if connection.execute(queries.TAKE_FROM_BUCKET, values).rowcount:
            return None
        row = connection.execute(queries.BUCKET, {"subject": subject}).fetchone()
        return interval if row is None else row["theoretical_arrival_at"] + interval - now - WINDOW

    def _count_try(self, connection: Connection, subject: Subject, now: datetime) -> timedelta | None:
        values = {
            "subject": subject,
            "now": now,
            "forgotten": now - FORGOTTEN_AFTER,
            "free_tries": self.settings.login_free_tries,
            "longest": timedelta(seconds=self.settings.login_longest_wait_seconds),
        }
        if connection.execute(queries.COUNT_TRY, values).rowcount:
            return None
        row = connection.execute(queries.BLOCKED_UNTIL, {"subject": subject}).fetchone()
        # Gone meanwhile: another try succeeded.
        return timedelta(seconds=1) if row is None else row["blocked_until"] - now


def forget(connection: Connection, account: Subject) -> None:
    """Forget an account's failures: a try succeeded."""
    connection.execute(queries.FORGET, {"subject": account})


def forget_everywhere(connection: Connection, email: str) -> None:
    """Forget the failures of an address's password, from wherever they came."""
    connection.execute(queries.FORGET_ALL, {"subject": login_subject(email)})


def touch(connection: Connection, account: Subject, *, now: datetime) -> None:
    """Write to an account's row what it says already."""
    connection.execute(queries.TOUCH, {"subject": account, "now": now})


def _refuse(wait: timedelta | None) -> None:
    if wait is not None:
        record(Metric.TRIES_REFUSED)
        raise TooManyTriesError("Wait before you try again.", wait.total_seconds())


def _clean_up(connection: Connection, now: datetime) -> None:
    connection.execute(queries.DELETE_OLD, {"forgotten": now - FORGOTTEN_AFTER})


def _network(address: str | None) -> str:
    """Return what one client has of addresses: of IPv6 a whole /64."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return address or ""
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    # A server that listens on both names IPv4 clients so: they are not all one network.
    return str(parsed.ipv4_mapped or ip_network((parsed, 64), strict=False))


def _subject(kind: str, name: str) -> Subject:
    return hashlib.sha256(f"{kind}:{name}".encode(errors="replace")).digest()
