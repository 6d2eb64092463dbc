"""Pages of the console's origins may call the API from a browser."""

from collections.abc import Sequence
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway

ALLOWED_HEADERS: Final = ("Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID")
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
REMEMBERED: Final = Duration.hours(1)


def preflight(origins: Sequence[str]) -> apigateway.CorsOptions | None:
    """Return how preflight requests are answered: the asking origin, if it is one of `origins`; None without any.

    The first origin stands in the response as it is; for any other the template that CDK writes compares the
    request's with the list and puts it in its place. Credentials such as cookies are not allowed.
    """
    if not origins:
        return None
    return apigateway.CorsOptions(
        allow_origins=list(origins),
        allow_methods=list(METHODS),
        allow_headers=list(ALLOWED_HEADERS),
        max_age=REMEMBERED,
    )
