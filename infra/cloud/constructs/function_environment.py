"""Which environment variables and secrets a function gets: those that its settings declare, and no others."""

from collections.abc import Mapping, Set

from chatsphere.settings import SECRET_SUFFIX
from infra.catalog import FunctionSpec

QUEUE_URL = "_QUEUE_URL"


class MissingValueError(Exception):
    """A function requires a variable for which the deployment has no value."""


def function_secrets(spec: FunctionSpec, known: Set[str]) -> frozenset[str]:
    """Return the variables whose value the function reads from Secrets Manager."""
    return frozenset(name for group in spec.settings for name in group.secrets() if name in known)


def function_variables(spec: FunctionSpec, values: Mapping[str, str], secret_arns: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a function; a secret is named by its ARN in `<variable>_SECRET`.

    Of the queues' addresses it gets only those that it sends to.

    Raises:
        MissingValueError: a required variable has no value.
    """
    sends_to = {f"{queue.name.upper()}{QUEUE_URL}" for queue in spec.sends_to}
    values = {**values, **spec.provider_limits}
    chosen: dict[str, str] = {}
    for group in spec.settings:
        for name, required in group.variables().items():
            if name.endswith(QUEUE_URL) and name not in sends_to:
                continue
            if name in group.secrets() and name in secret_arns:
                chosen[name + SECRET_SUFFIX] = secret_arns[name]
            elif name in values:
                chosen[name] = values[name]
            elif required or name in sends_to:
                raise MissingValueError(f"{spec.name}: {group.__name__} requires {name}, which has no value")
    return chosen
