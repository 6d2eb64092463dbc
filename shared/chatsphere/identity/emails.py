"""Mail addresses as ChatSphere accepts them."""

import re

from chatsphere.errors import FieldError, InvalidRequestError

MAX_LENGTH = 320

# RFC 5321's dot-string of RFC 5322's atext, at a host name with a dot: no quoted local part, no address literal.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?=.{{1,64}}@){_ATOM}(?:\.{_ATOM})*@(?=.{{1,255}}\Z)(?:{_LABEL}\.)+(?=[^.]*[A-Za-z]){_LABEL}")


def normalized_email(text: str) -> str:
    """Return the address without the white space around it, as it is stored.

    Raises:
        InvalidRequestError: it is not a mail address.
    """
    address = text.strip()
    if len(address) > MAX_LENGTH or not _ADDRESS.fullmatch(address):
        raise InvalidRequestError(
            "The mail address is not valid.", (FieldError("body/email", "invalid_email", "Not a mail address."),)
        )
    return address
