"""CloudFormation templates as data: taking a resource out without leaving a loose end."""

import re
from collections.abc import Iterator
from typing import Any

Template = dict[str, Any]
Resource = dict[str, Any]


def resources(template: Template, kind: str) -> Iterator[tuple[str, Resource]]:
    """Yield the logical id and the resource of each one of a type."""
    for logical_id, resource in list(template["Resources"].items()):
        if resource["Type"] == kind:
            yield logical_id, resource


def leave_out(template: Template, logical_id: str) -> None:
    """Take a resource out; what refers to it gets a name that leads nowhere."""
    del template["Resources"][logical_id]
    for resource in template["Resources"].values():
        if "DependsOn" in resource:
            listed = resource["DependsOn"]
            kept = [name for name in ([listed] if isinstance(listed, str) else listed) if name != logical_id]
            resource["DependsOn"] = kept
    for section in ("Resources", "Outputs"):
        template[section] = without_references(template.get(section, {}), logical_id, f"left-out-{logical_id}")


def without_references(value: Any, logical_id: str, instead: str) -> Any:
    """Return `value` with every reference to the resource, or to one of its attributes, replaced by a text."""
    if isinstance(value, dict):
        if value == {"Ref": logical_id} or _attribute_of(value) == logical_id:
            return instead
        return {key: without_references(item, logical_id, instead) for key, item in value.items()}
    if isinstance(value, list):
        return [without_references(item, logical_id, instead) for item in value]
    if isinstance(value, str):
        return re.sub(rf"\$\{{{re.escape(logical_id)}(\.[^}}]+)?\}}", instead, value)
    return value


def replace_reference(value: Any, logical_id: str, instead: Any) -> Any:
    """Return `value` with `Ref` to the resource replaced; its attributes stay."""
    if isinstance(value, dict):
        if value == {"Ref": logical_id}:
            return instead
        return {key: replace_reference(item, logical_id, instead) for key, item in value.items()}
    if isinstance(value, list):
        return [replace_reference(item, logical_id, instead) for item in value]
    return value


def replace_attribute(value: Any, attribute: str, instead: Any) -> Any:
    """Return `value` with `Fn::GetAtt` of this attribute, whosever it is, replaced."""
    if isinstance(value, dict):
        arguments = value.get("Fn::GetAtt")
        if isinstance(arguments, list) and arguments[1:] == [attribute]:
            return instead
        return {key: replace_attribute(item, attribute, instead) for key, item in value.items()}
    if isinstance(value, list):
        return [replace_attribute(item, attribute, instead) for item in value]
    return value


def _attribute_of(value: dict[str, Any]) -> str | None:
    arguments = value.get("Fn::GetAtt")
    return str(arguments[0]) if isinstance(arguments, list) else None
