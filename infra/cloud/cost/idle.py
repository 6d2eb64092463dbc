"""What each resource of a deployment uses in a month in which nobody uses ChatSphere.

Every resource type either has a rule here or a reason in `free.py`; any other stops the computation, so that
nothing can be forgotten.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from infra.cloud.cost import idle_compute, idle_data, idle_network, idle_observability
from infra.cloud.cost.bill import Usage
from infra.cloud.cost.free import FREE
from infra.cloud.cost.templates import Deployment, Resource

Rule = Callable[[Resource, Deployment], Iterator[Usage]]

RULES: Final[Mapping[str, Rule]] = {
    **idle_network.RULES,
    **idle_data.RULES,
    **idle_compute.RULES,
    **idle_observability.RULES,
}


class UnpricedError(Exception):
    """A resource has a type, or a property that is paid for, without a price."""


def idle_usage(deployment: Deployment) -> Iterator[Usage]:
    """Yield what the deployment uses in an idle month.

    Raises:
        UnpricedError: names the resource that has no rule and is not known to be free.
    """
    if deployment.vector_store == "pinecone":
        yield Usage("pinecone_plan", 1, "vector store, in no template")
    try:
        yield from idle_compute.awake_usage(deployment)
    except LookupError as error:
        raise UnpricedError(f"The schedules have no price: {error}") from None
    for resource in deployment.resources:
        if resource.type in FREE:
            continue
        rule = RULES.get(resource.type)
        if rule is None:
            raise UnpricedError(
                f"{resource.name} is a {resource.type}, which has no price: give it a rule in infra/cloud/cost "
                "or, if it costs nothing by itself, a reason in infra/cloud/cost/free.py"
            )
        try:
            yield from rule(resource, deployment)
        except LookupError as error:
            raise UnpricedError(f"{resource.name} ({resource.type}) has no price: {error}") from None
