"""The second factor: switched on with a first code, asked for at each login, switched off with a last one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chatsphere.audit.recording import note
from chatsphere.db.database import Connection
from chatsphere.errors import ConflictError, InvalidCodeError, InvalidTokenError, NotConfirmedError, UnauthorizedError
from chatsphere.identity import credential_queries as queries
from chatsphere.identity import single_use_tokens, throttling, totp
from chatsphere.identity.model import Enrollment, Member, TokenPair
from chatsphere.identity.passwords import Passwords, confirm, confirmed
from chatsphere.identity.people import Person, find_person, lock_person
from chatsphere.identity.sessions import Sessions, open_session
from chatsphere.identity.single_use_tokens import Purpose, SingleUseToken, TokenRequest
from chatsphere.identity.throttling import second_factor_subject
from chatsphere.ports.vault import SecretBox

TRIES_OF_A_TOKEN = 5


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """What second factors need. `issuer` is the name that apps show; an enrollment is open for `enroll_seconds`."""

    sessions: Sessions
    passwords: Passwords
    box: SecretBox
    issuer: str
    enroll_seconds: int


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A second factor was switched on. The codes are shown this once."""

    user_id: UUID
    recovery_codes: Sequence[str]


def enroll(factor: SecondFactor, user_id: UUID, password: str) -> Enrollment:
    """Return the secret for an authenticator app. Nothing is switched on before a code proves that it has it.

    Raises:
        NotConfirmedError: the password is another one.
        ConflictError: there is a second factor already.
    """
    person = confirm(factor.passwords, user_id, password)
    secret = totp.new_secret()
    request = TokenRequest(user_id, Purpose.MFA_ENROLL, factor.box.seal(secret), factor.enroll_seconds)
    with factor.sessions.database.transaction(None) as connection:
        if confirmed(connection, person).mfa_secret is not None:
            raise ConflictError("There is a second factor already: switch it off first.")
        # The last secret that was shown is the one that counts.
        single_use_tokens.discard(connection, user_id, Purpose.MFA_ENROLL)
        token = single_use_tokens.issue(connection, request, ids=factor.sessions.ids, now=_now(factor))
    uri = totp.otpauth_uri(secret, account=person.email, issuer=factor.issuer)
    return Enrollment(secret, uri, token, factor.enroll_seconds)


def verify(factor: SecondFactor, mfa_token: str, code: str) -> TokenPair | Enrolled:
    """Take a code: with the token of a login open the session, with that of an enrollment switch it on.

    Raises:
        InvalidTokenError: the token is none that can be used, or was tried too often.
        InvalidCodeError: the code is wrong or was used before.
        TooManyTriesError: too many codes were tried for this person.
    """
    found, person = _token_to_try(factor, mfa_token)
    if found.purpose is Purpose.MFA_ENROLL:
        return _switch_on(factor, found, code)
    with factor.sessions.database.transaction(None) as connection:
        person = lock_person(connection, person.id)
        single_use_tokens.use(connection, found.id, now=_now(factor))
        if not _takes_code(factor, connection, person, code):
            raise InvalidCodeError
        throttling.forget(connection, second_factor_subject(person.id))
        connection.execute(queries.RECORD_LOGIN, {"user_id": person.id, "now": _now(factor)})
        return open_session(factor.sessions, connection, _first_membership(connection, person.id))


def disable(factor: SecondFactor, user_id: UUID, *, password: str, code: str) -> None:
    """Switch the second factor off.

    Raises:
        NotConfirmedError: the password or the code is wrong.
        ConflictError: there is no second factor.
        TooManyTriesError: too many were tried.
    """
    person = confirm(factor.passwords, user_id, password)
    with factor.sessions.database.transaction(None) as connection:
        _confirm_code(factor, connection, person, code)
        connection.execute(queries.DISABLE_MFA, {"user_id": user_id})
        connection.execute(queries.DELETE_RECOVERY_CODES, {"user_id": user_id})
        single_use_tokens.discard(connection, user_id, Purpose.MFA_LOGIN, Purpose.MFA_ENROLL)


def renew_recovery_codes(factor: SecondFactor, user_id: UUID, *, password: str, code: str) -> Sequence[str]:
    """Return new recovery codes; the former ones are worthless. Raises as `disable` does."""
    person = confirm(factor.passwords, user_id, password)
    with factor.sessions.database.transaction(None) as connection:
        _confirm_code(factor, connection, person, code)
        note(connection, "user.recovery_codes_renewed", "user", user_id)
        return _new_recovery_codes(factor, connection, user_id)


def confirm_person(factor: SecondFactor, connection: Connection, person: Person, code: str | None) -> Person:
    """Return the person as they are now, locked, in the transaction that does what they confirmed by password and,
    where they have a second factor, by a code.

    Raises:
        NotConfirmedError: the code is wrong or missing, or the password was changed since it was shown.
    """
    person = confirmed(connection, person)
    if person.mfa_secret is not None and not (code and _takes_code(factor, connection, person, code)):
        raise NotConfirmedError
    return person


def _token_to_try(factor: SecondFactor, mfa_token: str) -> tuple[SingleUseToken, Person]:
    """Return a token whose try is counted, before the code is looked at."""
    database, now = factor.sessions.database, _now(factor)
    with database.transaction(None) as connection:
        found = single_use_tokens.find(connection, mfa_token, [Purpose.MFA_LOGIN, Purpose.MFA_ENROLL], now=now)
        person = find_person(connection, found.user_id)
    factor.passwords.throttle.count(second_factor_subject(person.id))
    with database.transaction(None) as connection:
        values = {"id": found.id, "most": TRIES_OF_A_TOKEN}
        if connection.execute(queries.COUNT_TRY_OF_TOKEN, values).rowcount == 0:
            raise InvalidTokenError
    return found, person


def _switch_on(factor: SecondFactor, token: SingleUseToken, code: str) -> Enrolled:
    now = _now(factor)
    step = totp.time_step(factor.box.open(token.payload), code, now=now)
    if step is None:
        raise InvalidCodeError
    with factor.sessions.database.transaction(None) as connection:
        lock_person(connection, token.user_id)
        single_use_tokens.use(connection, token.id, now=now)
        values = {"user_id": token.user_id, "sealed": token.payload, "now": now, "step": step}
        if connection.execute(queries.ENABLE_MFA, values).rowcount == 0:
            raise ConflictError("There is a second factor already: switch it off first.")
        throttling.forget(connection, second_factor_subject(token.user_id))
        return Enrolled(token.user_id, _new_recovery_codes(factor, connection, token.user_id))


def _confirm_code(factor: SecondFactor, connection: Connection, person: Person, code: str) -> None:
    person = confirmed(connection, person)
    if person.mfa_secret is None:
        raise ConflictError("There is no second factor.")
    # The exception takes back that the failed tries were forgotten.
    if not _takes_code(factor, connection, person, code):
        raise NotConfirmedError


def _takes_code(factor: SecondFactor, connection: Connection, person: Person, code: str) -> bool:
    """Use a code of the app, or a recovery code, up; return whether it was one that could be used."""
    if person.mfa_secret is None:
        return False
    step = totp.time_step(factor.box.open(person.mfa_secret), code.strip(), now=_now(factor))
    if step is not None:
        values = {"user_id": person.id, "sealed": person.mfa_secret, "step": step}
        return connection.execute(queries.TAKE_CODE, values).rowcount == 1
    recovery = {"user_id": person.id, "secret_hash": totp.recovery_code_hash(code), "now": _now(factor)}
    return connection.execute(queries.TAKE_RECOVERY_CODE, recovery).rowcount == 1


def _new_recovery_codes(factor: SecondFactor, connection: Connection, user_id: UUID) -> Sequence[str]:
    connection.execute(queries.DELETE_RECOVERY_CODES, {"user_id": user_id})
    codes = totp.new_recovery_codes()
    for code in codes:
        values = {"id": factor.sessions.ids.new(), "user_id": user_id, "secret_hash": totp.recovery_code_hash(code)}
        connection.execute(queries.INSERT_RECOVERY_CODE, values)
    return codes


def _first_membership(connection: Connection, user_id: UUID) -> Member:
    row = connection.execute(queries.FIRST_MEMBERSHIP, {"user_id": user_id}).fetchone()
    if row is None:
        raise UnauthorizedError
    return Member(**row)


def _now(factor: SecondFactor) -> datetime:
    return factor.sessions.clock.now()
