"""Addresses, instances, gateways and endpoints that are paid for by the hour."""

from collections.abc import Iterator
from typing import Any, Final

from infra.cloud.cost.assumptions import HOURS
from infra.cloud.cost.bill import Usage
from infra.cloud.cost.templates import Deployment, Resource

DEFAULT_VOLUME_GB: Final = 8
"""The root volume of Amazon Linux images where the template names none."""


def _nat_gateway(resource: Resource, _deployment: Deployment) -> Iterator[Usage]:
    yield Usage("nat_gateway", HOURS, "NAT gateway")
    if not resource.properties.get("AllocationId"):
        raise LookupError("a NAT gateway without AllocationId")


def _elastic_ip(_resource: Resource, _deployment: Deployment) -> Iterator[Usage]:
    yield Usage("public_ipv4", HOURS, "Elastic IP address")


def _instance(resource: Resource, deployment: Deployment) -> Iterator[Usage]:
    yield from _machine(resource.properties, deployment, "instance")


def _instance_group(resource: Resource, deployment: Deployment) -> Iterator[Usage]:
    """Return what the least number of machines of the group costs."""
    template = resource.properties["LaunchTemplate"]
    reference = template.get("LaunchTemplateId", {}).get("Ref")
    described = next(t for t in deployment.of_type("AWS::EC2::LaunchTemplate") if t.logical_id == reference)
    for _ in range(int(resource.properties["MinSize"])):
        yield from _machine(described.properties["LaunchTemplateData"], deployment, "instance of a group")


def _machine(properties: Any, deployment: Deployment, cause: str) -> Iterator[Usage]:
    yield Usage("instance_" + properties["InstanceType"].replace(".", "_"), HOURS, cause)
    volumes = [mapping["Ebs"] for mapping in properties.get("BlockDeviceMappings", []) if "Ebs" in mapping]
    size = sum(int(volume["VolumeSize"]) for volume in volumes) if volumes else DEFAULT_VOLUME_GB
    yield Usage("ebs_gp3", size, f"volume of the {cause}")
    interfaces = properties.get("NetworkInterfaces", [])
    # An Elastic IP address is a resource of its own and takes the place of the automatic one.
    automatic = any(interface.get("AssociatePublicIpAddress") for interface in interfaces)
    if automatic and not any(deployment.of_type("AWS::EC2::EIPAssociation")):
        yield Usage("public_ipv4", HOURS, f"address of the {cause}")


def _endpoint(resource: Resource, _deployment: Deployment) -> Iterator[Usage]:
    if resource.properties.get("VpcEndpointType") == "Interface":
        zones = len(resource.properties["SubnetIds"])
        yield Usage("interface_endpoint", HOURS * zones, "VPC endpoint")


def _web_acl(resource: Resource, _deployment: Deployment) -> Iterator[Usage]:
    yield Usage("waf_acl", 1, "web ACL")
    yield Usage("waf_rule", len(resource.properties["Rules"]), "rules of the web ACL")


RULES: Final = {
    "AWS::AutoScaling::AutoScalingGroup": _instance_group,
    "AWS::EC2::EIP": _elastic_ip,
    "AWS::EC2::Instance": _instance,
    "AWS::EC2::NatGateway": _nat_gateway,
    "AWS::EC2::VPCEndpoint": _endpoint,
    "AWS::WAFv2::WebACL": _web_acl,
}
