"""Synthesized templates as the tests read them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from infra.cloud.config import DeploymentConfig

Resource = dict[str, Any]


@dataclass(frozen=True)
class Stack:
    """One template."""

    name: str
    body: dict[str, Any]
    bytes: int

    def resources(self, kind: str) -> dict[str, Resource]:
        """Return the resources of a CloudFormation type by logical id."""
        return {key: found for key, found in self.body["Resources"].items() if found["Type"] == kind}


@dataclass(frozen=True)
class Deployment:
    """The templates of one deployment by stack: `network`, `secrets`, `data`, …

    `protected`: the stacks that CloudFormation does not let go.
    """

    config: DeploymentConfig
    stacks: Mapping[str, Stack]
    protected: frozenset[str]

    def of(self, kind: str) -> list[tuple[Stack, str, Resource]]:
        """Return every resource of a CloudFormation type with its stack and logical id."""
        return [(stack, key, found) for stack in self.stacks.values() for key, found in stack.resources(kind).items()]

    @cached_property
    def functions(self) -> dict[str, tuple[Stack, str, Resource]]:
        """The functions of the catalog by name; AWS's own, behind custom resources, are not among them."""
        prefix = f"{self.config.prefix} "
        return {
            str(found["Properties"]["Description"]).removeprefix(prefix): (stack, key, found)
            for stack, key, found in self.of("AWS::Lambda::Function")
            if str(found["Properties"].get("Description", "")).startswith(prefix)
        }

    def environment(self, function: str) -> dict[str, str]:
        """Return a function's environment, references written out."""
        stack, _, found = self.functions[function]
        variables: dict[str, Any] = found["Properties"]["Environment"]["Variables"]
        return {name: self.text(stack, value) for name, value in variables.items()}

    def statements(self, function: str) -> list[dict[str, Any]]:
        """Return the statements of all policies of a function's role."""
        stack, _, found = self.functions[function]
        role = found["Properties"]["Role"]["Fn::GetAtt"][0]
        return [
            statement
            for policy in stack.resources("AWS::IAM::Policy").values()
            if {"Ref": role} in policy["Properties"]["Roles"]
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        ]

    def text(self, stack: Stack, value: Any) -> str:
        """Write a value with its references as `${Stack.Id.Attribute}`, following imports to what is exported."""
        if isinstance(value, str):
            return value
        match value:
            case {"Ref": name}:
                return f"${{{name}}}" if str(name).startswith("AWS::") else f"${{{stack.name}.{name}}}"
            case {"Fn::GetAtt": [name, attribute]}:
                return f"${{{stack.name}.{name}.{attribute}}}"
            case {"Fn::Join": [separator, parts]}:
                return str(separator).join(self.text(stack, part) for part in parts)
            case {"Fn::ImportValue": name}:
                return self.text(*self._exports[name])
            case {"Fn::Select": [index, {"Fn::Split": [separator, text]}]}:
                return f"${{{self.text(stack, text)}|{separator}|{index}}}"
        return json.dumps(value, sort_keys=True)

    @cached_property
    def _exports(self) -> dict[str, tuple[Stack, Any]]:
        return {
            output["Export"]["Name"]: (stack, output["Value"])
            for stack in self.stacks.values()
            for output in stack.body.get("Outputs", {}).values()
            if "Export" in output
        }


def read_deployment(config: DeploymentConfig, folder: Path) -> Deployment:
    """Read what was synthesized into a folder."""
    stacks = {}
    for path in folder.glob("*.template.json"):
        name = path.name.removesuffix(".template.json").removeprefix(f"{config.prefix}-")
        stacks[name] = Stack(name, json.loads(path.read_text()), path.stat().st_size)
    manifest = json.loads((folder / "manifest.json").read_text())["artifacts"]
    protected = {name for name, made in manifest.items() if made["properties"].get("terminationProtection")}
    return Deployment(config, stacks, frozenset(name.removeprefix(f"{config.prefix}-") for name in protected))


def many(value: Any) -> list[Any]:
    """Return a list, as policies write one thing without one."""
    return value if isinstance(value, list) else [value]


def actions(statements: list[dict[str, Any]]) -> Iterator[str]:
    """Yield every action that the statements allow."""
    for statement in statements:
        if statement["Effect"] == "Allow":
            yield from many(statement["Action"])
