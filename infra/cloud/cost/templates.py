"""A deployment's synthesized CloudFormation templates, as one set of resources."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any


class NoTemplatesError(Exception):
    """The folder holds no synthesized template."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of a template."""

    stack: str
    logical_id: str
    type: str
    properties: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Where it is: `stack/logical id`."""
        return f"{self.stack}/{self.logical_id}"


@dataclass(frozen=True)
class Deployment:
    """All resources of all stacks of one deployment."""

    name: str
    resources: tuple[Resource, ...]

    def of_type(self, type_: str) -> Iterator[Resource]:
        """Yield the resources of a type."""
        return (resource for resource in self.resources if resource.type == type_)

    @cached_property
    def paused_when_idle(self) -> bool:
        """Whether the database pauses while nobody uses it."""
        capacities = [
            c.properties.get("ServerlessV2ScalingConfiguration", {}) for c in self.of_type("AWS::RDS::DBCluster")
        ]
        return any(capacity.get("MinCapacity") == 0 for capacity in capacities)

    @cached_property
    def vector_store(self) -> str:
        """Where the deployment's functions keep vectors."""
        for function in self.of_type("AWS::Lambda::Function"):
            variables = function.properties.get("Environment", {}).get("Variables", {})
            if "VECTOR_STORE" in variables:
                return str(variables["VECTOR_STORE"])
        return "pgvector"


def deployment_from_templates(name: str, templates: Mapping[str, Mapping[str, Any]]) -> Deployment:
    """Collect the resources of templates, given by the name of their stack."""
    return Deployment(
        name,
        tuple(
            Resource(stack, logical_id, body["Type"], body.get("Properties", {}))
            for stack, template in sorted(templates.items())
            for logical_id, body in sorted(template.get("Resources", {}).items())
        ),
    )


def read_deployment(folder: Path) -> Deployment:
    """Read the `*.template.json` of one cloud assembly.

    Raises:
        NoTemplatesError: there is none.
    """
    files = sorted(folder.glob("*.template.json"))
    if not files:
        raise NoTemplatesError(f"{folder} holds no synthesized template")
    templates = {file.name.removesuffix(".template.json"): json.loads(file.read_text()) for file in files}
    return deployment_from_templates(folder.name, templates)


def read_deployments(folder: Path) -> list[Deployment]:
    """Read each folder below `folder` that is the cloud assembly of a deployment.

    Raises:
        NoTemplatesError: there is none.
    """
    assemblies = sorted({file.parent for file in folder.glob("*/*.template.json")})
    if not assemblies:
        raise NoTemplatesError(f"{folder} holds no synthesized deployment")
    return [read_deployment(assembly) for assembly in assemblies]
