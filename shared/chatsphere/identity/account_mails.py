"""The mails about accounts. None holds a name that somebody chose: whose address it is, is not known yet."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from chatsphere.db.database import Connection
from chatsphere.identity import credential_queries as queries
from chatsphere.identity.mail_desk import Desk, MailRoom
from chatsphere.identity.mail_messages import (
    ChangeEmail,
    EmailChanged,
    MfaDisabled,
    MfaEnabled,
    PasswordChanged,
    ResetPassword,
    VerifyEmail,
)
from chatsphere.identity.single_use_tokens import Purpose, TokenRequest
from chatsphere.ports.mail import Mail

NOT_YOU: Final = "If this was not you, nothing is changed and you can ignore this mail."
WAS_NOT_YOU: Final = (
    "If this was not you, reset your password at once (POST /v1/auth/password/forgot) and look through your sessions"
    " (GET /v1/me/sessions)."
)


def add_account_mails(room: MailRoom) -> None:
    """Let the room send the mails about accounts."""
    room.add(VerifyEmail, verify_email)
    room.add(ResetPassword, reset_password)
    room.add(ChangeEmail, change_email)
    room.add(EmailChanged, email_changed)
    room.add(PasswordChanged, password_changed)
    room.add(MfaEnabled, mfa_enabled)
    room.add(MfaDisabled, mfa_disabled)


def verify_email(message: VerifyEmail, desk: Desk) -> Mail | None:
    """Write to the address of an account, unless it is proved."""
    seconds = desk.settings.verification_seconds
    with desk.database.transaction(None) as connection:
        person = _person(connection, message.user_id)
        if person is None or person["is_verified"]:
            return None
        request = TokenRequest(message.user_id, Purpose.VERIFY_EMAIL, person["email"], seconds)
        token = desk.token(connection, request)
    if token is None:
        return None
    how = desk.instruction("verify-email", "POST /v1/auth/verify-email", token)
    text = f"Somebody made a ChatSphere account with this mail address. To confirm that it is yours:\n\n{how}"
    return _mail(person["email"], "Confirm your mail address", text, _valid(seconds), NOT_YOU)


def reset_password(message: ResetPassword, desk: Desk) -> Mail | None:
    """Write to the address, if an active person has it."""
    seconds = desk.settings.reset_seconds
    with desk.database.transaction(None) as connection:
        person = connection.execute(queries.PERSON_BY_EMAIL, {"email": message.email}).fetchone()
        if person is None:
            return None
        request = TokenRequest(person["id"], Purpose.RESET_PASSWORD, person["email"], seconds)
        token = desk.token(connection, request)
    if token is None:
        return None
    how = desk.instruction("reset-password", "POST /v1/auth/password/reset", token)
    text = f"Somebody asked for a new password for your ChatSphere account. To choose one:\n\n{how}"
    return _mail(person["email"], "Reset your password", text, _valid(seconds), NOT_YOU)


def change_email(message: ChangeEmail, desk: Desk) -> Mail | None:
    """Write to the address that is to be the account's."""
    seconds = desk.settings.verification_seconds
    with desk.database.transaction(None) as connection:
        if _person(connection, message.user_id) is None:
            return None
        request = TokenRequest(message.user_id, Purpose.CHANGE_EMAIL, message.email, seconds)
        token = desk.token(connection, request)
    if token is None:
        return None
    how = desk.instruction("verify-email", "POST /v1/auth/verify-email", token)
    text = f"Somebody wants this mail address for their ChatSphere account. To confirm it:\n\n{how}"
    return _mail(message.email, "Confirm your new mail address", text, _valid(seconds), NOT_YOU)


def email_changed(message: EmailChanged, _desk: Desk) -> Mail:
    """Write to the former address."""
    text = "The mail address of your ChatSphere account was changed; this one is no longer used."
    remedy = "If this was not you, write to whoever runs this ChatSphere."
    return _mail(message.former_email, "Your mail address was changed", text, remedy)


def password_changed(message: PasswordChanged, desk: Desk) -> Mail | None:
    """Write to the account's address."""
    text = "The password of your ChatSphere account was changed. Every other session has ended."
    return _notice(message.user_id, desk, "Your password was changed", text)


def mfa_enabled(message: MfaEnabled, desk: Desk) -> Mail | None:
    """Write to the account's address."""
    text = "Logging in to your ChatSphere account takes a second factor now. Keep the recovery codes safe."
    return _notice(message.user_id, desk, "Second factor switched on", text)


def mfa_disabled(message: MfaDisabled, desk: Desk) -> Mail | None:
    """Write to the account's address."""
    text = "Logging in to your ChatSphere account takes no second factor any more."
    return _notice(message.user_id, desk, "Second factor switched off", text)


def _notice(user_id: UUID, desk: Desk, subject: str, text: str) -> Mail | None:
    with desk.database.transaction(None) as connection:
        person = _person(connection, user_id)
    return None if person is None else _mail(person["email"], subject, text, WAS_NOT_YOU)


def _person(connection: Connection, user_id: UUID) -> dict[str, Any] | None:
    return connection.execute(queries.PERSON, {"user_id": user_id}).fetchone()


def _mail(to: str, subject: str, *paragraphs: str) -> Mail:
    return Mail(to, subject, "\n\n".join(("Hello,", *paragraphs, "ChatSphere")) + "\n")


def _valid(seconds: int) -> str:
    length = timedelta(seconds=seconds)
    hours, minutes = length // timedelta(hours=1), length // timedelta(minutes=1)
    text = f"{hours} hour{'s' * (hours != 1)}" if hours else f"{minutes} minute{'s' * (minutes != 1)}"
    return f"It works once, within {text}."
