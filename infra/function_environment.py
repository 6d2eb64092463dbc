"""Which environment variables and secrets a function gets: those that its settings declare, and no others."""

from collections.abc import Mapping, Set
from types import MappingProxyType
from typing import Final

from chatsphere.settings import SECRET_SUFFIX
from infra.catalog import FunctionSpec, Queue

QUEUE_URL: Final = "_QUEUE_URL"


class MissingValueError(Exception):
    """A function requires a variable for which there is no value."""


def queue_url_variable(queue: Queue) -> str:
    """Return the variable that holds a queue's address."""
    return f"{queue.name.upper().replace('-', '_')}{QUEUE_URL}"


def function_secrets(spec: FunctionSpec, known: Set[str]) -> frozenset[str]:
    """Return the variables whose value the function reads from Secrets Manager."""
    return frozenset(name for group in spec.settings for name in group.secrets() if name in known)


def function_variables(
    spec: FunctionSpec, values: Mapping[str, str], secret_arns: Mapping[str, str] = MappingProxyType({})
) -> dict[str, str]:
    """Return what the function's settings groups declare, taken from `values`.

    A secret with an ARN is only named, in `<variable>_SECRET`. Of the queues' addresses it gets those that it sends to
    or watches.

    Raises:
        MissingValueError: a required variable has no value.
    """
    known_queues = {queue_url_variable(queue) for queue in (*spec.sends_to, *spec.watches)}
    values = {**values, **spec.provider_limits}
    chosen: dict[str, str] = {}
    for group in spec.settings:
        for name, required in group.variables().items():
            if name.endswith(QUEUE_URL) and name not in known_queues:
                continue
            if name in group.secrets() and name in secret_arns:
                chosen[name + SECRET_SUFFIX] = secret_arns[name]
            elif name in values:
                chosen[name] = values[name]
            elif required or name in known_queues:
                raise MissingValueError(f"function {spec.name}: {group.__name__} requires {name}, which has no value")
    return chosen
