"""The network: private subnets whose functions reach the Internet and are reached by nobody."""

from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from infra.cloud.config import DeploymentConfig, Profile
from infra.cloud.constructs.log_group import log_group
from infra.cloud.constructs.nat_instance import nat_instance_provider, secure_nat_instances

ADDRESSES: Final = "10.0.0.0/16"
ZONES: Final = 2
POSTGRESQL: Final = 5432


class NetworkStack(Stack):
    """Changes least often. Everything else stands in it."""

    def __init__(self, scope: Construct, construct_id: str, *, config: DeploymentConfig) -> None:
        super().__init__(
            scope, construct_id, description="ChatSphere: network", termination_protection=config.keeps_data
        )
        self._config = config
        lean = config.profile is Profile.LEAN
        provider = nat_instance_provider() if lean else ec2.NatProvider.gateway()
        self.vpc = self._vpc(provider, nat_gateways=1 if lean else ZONES)
        if isinstance(provider, ec2.NatInstanceProviderV2):
            secure_nat_instances(provider, ADDRESSES)
        self.functions_security_group = self._functions_security_group()

    def _vpc(self, provider: ec2.NatProvider, *, nat_gateways: int) -> ec2.Vpc:
        vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(ADDRESSES),
            # Of a stack without a region the library takes the first two zones, whichever they are.
            max_azs=ZONES,
            nat_gateway_provider=provider,
            nat_gateways=nat_gateways,
            restrict_default_security_group=True,
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="public", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=26, map_public_ip_on_launch=False
                ),
                ec2.SubnetConfiguration(name="functions", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS, cidr_mask=20),
                ec2.SubnetConfiguration(name="database", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=26),
            ],
            gateway_endpoints={"S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3)},
        )
        vpc.add_flow_log(
            "Rejected",
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(log_group(vpc, self._config, key=None)),
            traffic_type=ec2.FlowLogTrafficType.REJECT,
        )
        return vpc

    def _functions_security_group(self) -> ec2.SecurityGroup:
        group = ec2.SecurityGroup(
            self, "Functions", vpc=self.vpc, description="Lambda functions", allow_all_outbound=False
        )
        group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "AWS and the providers, over HTTPS")
        group.add_egress_rule(ec2.Peer.ipv4(ADDRESSES), ec2.Port.tcp(POSTGRESQL), "The database")
        return group
