"""Which permission each route requires. A route is found as Powertools finds it, so that the two cannot disagree."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from chatsphere.access.permissions import Permission
from chatsphere.errors import ConfigurationError
from chatsphere.http.gate import path_ids
from chatsphere.http.operations import PERMISSION
from chatsphere.http.proxy_event import Event


@dataclass(frozen=True, slots=True)
class FoundRoute:
    """The route that will serve a request. `permission` is None where it is public; `path` holds the path's ids."""

    permission: Permission | None
    path: Mapping[str, UUID]


class RouteTable:
    """The routes of one function.

    Raises:
        ConfigurationError: a route is neither public nor says which permission it requires.
    """

    def __init__(self, app: APIGatewayRestResolver) -> None:
        self._routes: list[tuple[str, re.Pattern[str], Permission | None]] = []
        for route in (*app._static_routes, *app._dynamic_routes):
            said = route.openapi_extensions or {}
            if PERMISSION not in said and said.get("security") != []:
                raise ConfigurationError(f"{route.method} {route.openapi_path} says no permission and is not public.")
            permission = Permission(said[PERMISSION]) if PERMISSION in said else None
            self._routes.append((route.method, route.rule, permission))

    def find(self, event: Event) -> FoundRoute | None:
        """Return the route that will serve the event; None where there is none."""
        method, path = str(event.get("httpMethod", "")).upper(), str(event.get("path", ""))
        for of_method, rule, permission in self._routes:
            if of_method == method and (match := rule.match(path)):
                return FoundRoute(permission, path_ids(match.groupdict()))
        return None
