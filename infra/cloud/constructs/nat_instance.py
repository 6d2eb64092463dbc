"""One small EC2 instance that translates addresses, at about a tenth of a NAT gateway's price.

It is the way out of both zones: with its zone, the way out fails. It repairs itself and is replaced by deployments.
"""

from typing import Final

from aws_cdk import Aspects, Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_ec2 as ec2

from infra.cloud.constructs.acknowledge import acknowledge

HTTPS: Final = ec2.Port.tcp(443)
BOOT_COMMANDS: Final = (
    # dnf needs more than the half gigabyte that the instance has.
    "dd if=/dev/zero of=/swapfile bs=1M count=512 && chmod 600 /swapfile && mkswap /swapfile && swapon /swapfile",
    # The package comes through the network that this instance is the first part of.
    "until dnf install -y iptables-services; do sleep 5; done",
    "echo net.ipv4.ip_forward=1 > /etc/sysctl.d/90-nat.conf",
    "sysctl -p /etc/sysctl.d/90-nat.conf",
    "systemctl enable --now iptables",
    # The interface that leads outside, whatever its name.
    "out=$(ip -o route get 192.0.2.1 | sed 's/.* dev //; s/ .*//')",
    'iptables -t nat -A POSTROUTING -o "$out" -j MASQUERADE',
    "iptables -F FORWARD",
    "service iptables save",
)
ENCRYPTED_DISK: Final = [
    {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 8, "VolumeType": "gp3", "Encrypted": True}},
]


def nat_instance_provider() -> ec2.NatInstanceProviderV2:
    """Return what makes the instance once it has a network: Amazon Linux 2023, no SSH, no unlimited CPU credits."""
    user_data = ec2.UserData.for_linux()
    user_data.add_commands(*BOOT_COMMANDS)
    return ec2.NatInstanceProviderV2(
        instance_type=ec2.InstanceType.of(ec2.InstanceClass.T4G, ec2.InstanceSize.NANO),
        associate_public_ip_address=True,
        credit_specification=ec2.CpuCredits.STANDARD,
        default_allowed_traffic=ec2.NatTrafficDirection.NONE,
        user_data=user_data,
    )


def secure_nat_instances(provider: ec2.NatInstanceProviderV2, network: str) -> None:
    """Let only HTTPS of the network (a CIDR) through; encrypt the disk, demand IMDSv2, let AWS repair the instance."""
    provider.connections.allow_from(ec2.Peer.ipv4(network), HTTPS, "HTTPS of the network")
    provider.connections.allow_to(ec2.Peer.any_ipv4(), HTTPS, "HTTPS, and its own packages")
    for instance in provider.gateway_instances:
        resource = instance.node.default_child
        assert isinstance(resource, ec2.CfnInstance)
        resource.add_property_override("BlockDeviceMappings", ENCRYPTED_DISK)
        Aspects.of(instance).add(ec2.InstanceRequireImdsv2Aspect())
        _repair(instance, resource.ref)
        acknowledge(instance, "It keeps nothing; the alarms below it need no finer metrics.", "EC28", "EC29")
        acknowledge(instance, "The disk is encrypted by a property override, which the rule cannot see.", "EC26")


def _repair(instance: ec2.Instance, instance_id: str) -> None:
    repairs = {
        "StatusCheckFailed_System": actions.Ec2InstanceAction.RECOVER,
        "StatusCheckFailed_Instance": actions.Ec2InstanceAction.REBOOT,
    }
    for metric_name, action in repairs.items():
        alarm = cloudwatch.Metric(
            namespace="AWS/EC2",
            metric_name=metric_name,
            dimensions_map={"InstanceId": instance_id},
            statistic="Maximum",
            period=Duration.minutes(1),
        ).create_alarm(
            Stack.of(instance),
            f"Nat{metric_name.replace('_', '')}",
            alarm_description="The NAT instance fails its status check; EC2 repairs it.",
            threshold=1,
            evaluation_periods=3,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.Ec2Action(action))
