"""Mails as they are sent."""

from email.message import EmailMessage
from email.policy import SMTP

HEADERS = {
    "From": "Jörg Müller <joerg@example.com>",
    "To": "Ann <ann@example.com>, bo@example.com",
    "Date": "Fri, 16 Dec 2022 17:04:16 -0500",
    "Subject": "Angebot für Grüße",
}
SHOWN = "\n".join(f"{name}: {value}" for name, value in HEADERS.items())


def make_mail(
    text: str | None = "Plain text.",
    html: str | None = None,
    *,
    attachments: dict[str, bytes] | None = None,
    **headers: str,
) -> EmailMessage:
    """A mail with `HEADERS` and others, a text, an alternative as HTML, and attachments by their names."""
    message = EmailMessage(policy=SMTP)
    for name, value in (HEADERS | headers).items():
        message[name] = value
    if text is not None:
        message.set_content(text)
    if html is not None:
        message.add_alternative(html, subtype="html")
    for name, data in (attachments or {}).items():
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return message


def raw_mail(body: bytes, *headers: str) -> bytes:
    """A mail as bytes, with these header lines and no others but a sender."""
    return "".join(f"{line}\r\n" for line in ("From: a@example.com", *headers)).encode("utf-8") + b"\r\n" + body
