"""Which function answers which method and path."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from chatsphere.errors import ChatSphereError, NotFoundError
from infra.catalog import FunctionSpec, HttpTrigger, Route


class MethodNotAllowedError(ChatSphereError):
    """The path exists, and not with this method; `allowed` are those it has."""

    code = "method_not_allowed"
    status = 405
    title = "The path does not support this method"

    def __init__(self, allowed: tuple[str, ...]) -> None:
        super().__init__(f"The path supports {', '.join(allowed)}")
        self.allowed = allowed


@dataclass(frozen=True, slots=True)
class Match:
    """The function and route that a request goes to, with the route's path parameters."""

    function: str
    streaming: bool
    route: Route
    parameters: dict[str, str]


class RouteTable:
    """All routes of the catalog's HTTP functions."""

    def __init__(self, functions: Iterable[FunctionSpec]) -> None:
        routes = [
            (_segments(route.path), route, spec.name, spec.trigger.streaming)
            for spec in functions
            if isinstance(spec.trigger, HttpTrigger)
            for route in spec.trigger.routes
        ]
        # A literal segment goes before a parameter at the same place, as in API Gateway.
        self._routes = sorted(routes, key=lambda entry: [_is_parameter(segment) for segment in entry[0]])

    def find(self, method: str, path: str) -> Match:
        """Return where a request goes; `path` is still percent-encoded, its parameters are decoded.

        Raises:
            NotFoundError: no route has this path.
            MethodNotAllowedError: a route has this path, with other methods.
        """
        segments = _segments(path)
        found = [entry for entry in self._routes if _matches(entry[0], segments)]
        if not found:
            raise NotFoundError("There is nothing at this path; /docs shows what there is.")
        template = found[0][0]
        found = [entry for entry in found if entry[0] == template]
        for _, route, function, streaming in found:
            if route.method == method:
                return Match(function, streaming, route, _parameters(template, segments))
        raise MethodNotAllowedError(tuple(sorted(route.method for _, route, _, _ in found)))


def _segments(path: str) -> list[str]:
    return path.split("/")


def _is_parameter(segment: str) -> bool:
    return segment.startswith("{")


def _matches(template: list[str], segments: list[str]) -> bool:
    return len(template) == len(segments) and all(
        (actual != "" if _is_parameter(expected) else actual == expected)
        for expected, actual in zip(template, segments, strict=True)
    )


def _parameters(template: list[str], segments: list[str]) -> dict[str, str]:
    return {
        expected[1:-1]: unquote(actual)
        for expected, actual in zip(template, segments, strict=True)
        if _is_parameter(expected)
    }
