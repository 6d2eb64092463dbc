"""What is wrong with a request of a client of OpenAI's API."""

from chatsphere.errors import FieldError, InvalidRequestError


class RefusedParameterError(InvalidRequestError):
    """A parameter asks for what is not done here, or has a value that is none of it.

    `param` is its pointer, such as `body/messages/0/content`; `code` one of `unsupported_parameter`,
    `unsupported_value`, `invalid_value` and `missing`.
    """

    status = 400

    def __init__(self, param: str, code: str, detail: str) -> None:
        super().__init__(detail, (FieldError(param, code, detail),))
