"""Aurora PostgreSQL Serverless v2, and RDS Proxy where the deployment has one."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from aws_cdk import Duration, Fn, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_rds as rds
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.cloud.config import DeploymentConfig
from infra.cloud.constructs.acknowledge import acknowledge
from infra.cloud.constructs.log_group import log_group
from infra.cloud.constructs.removal import removal_policy
from infra.packaging.layers import RDS_CERTIFICATES_PATH

ENGINE: Final = rds.DatabaseClusterEngine.aurora_postgres(version=rds.AuroraPostgresEngineVersion.VER_16_11)
"""The major version of the one-machine run; pgvector 0.8, and can pause."""

NAME: Final = "chatsphere"
ADMINISTRATOR: Final = "chatsphere_admin"
PORT: Final = 5432
ROLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "DATABASE_URL": "chatsphere_app",
        "AUTHENTICATOR_DATABASE_URL": "chatsphere_authenticator",
        "REAPER_DATABASE_URL": "chatsphere_reaper",
        "ERASER_DATABASE_URL": "chatsphere_eraser",
        "MAINTAINER_DATABASE_URL": "chatsphere_maintainer",
    }
)
PARAMETERS: Final = {
    "rds.force_ssl": "1",
    # Details of errors quote values of rows.
    "log_error_verbosity": "terse",
}
PAUSING: Final = {
    # Functions that wait for their next request keep a connection open, and a cluster with one never pauses.
    "idle_session_timeout": "60000",
}
NEEDED_BY_CLUSTER: Final = (
    ec2.CfnSecurityGroup,
    rds.CfnDBClusterParameterGroup,
    rds.CfnDBInstance,
    rds.CfnDBSubnetGroup,
)


class Database(Construct):
    """The cluster in the isolated subnets; only the functions' security group reaches it, by TLS alone."""

    def __init__(
        self,
        scope: Construct,
        *,
        config: DeploymentConfig,
        vpc: ec2.IVpc,
        functions: ec2.ISecurityGroup,
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, "Database")
        self._config = config
        self._vpc = vpc
        self._key = key
        self._subnets = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        self.cluster = self._cluster(self._security_group("Cluster", functions))
        self.proxy = self._proxy(self._security_group("Proxy", functions)) if config.capacity.proxy else None
        self._keep_what_the_cluster_needs()

    @property
    def administrator(self) -> secretsmanager.ISecret:
        """The administrator's credentials, which RDS made and renews every week."""
        assert self.cluster.secret is not None
        return self.cluster.secret

    @property
    def variables(self) -> dict[str, str]:
        """How functions reach the database; the administrator goes past the proxy."""
        endpoint = self.proxy.endpoint if self.proxy else self.cluster.cluster_endpoint.hostname
        urls = {variable: _url(endpoint, role) for variable, role in ROLES.items()}
        connect = {} if self._config.capacity.min_acu else {"DATABASE_CONNECT_SECONDS": "20"}
        return {
            **urls,
            **connect,
            "ADMIN_DATABASE_URL": _url(self.cluster.cluster_endpoint.hostname),
            "DATABASE_AUTHENTICATION": "iam",
        }

    @property
    def user_arns(self) -> dict[str, str]:
        """Return the `rds-db:connect` resource behind each connection variable."""
        administrator = {"ADMIN_DATABASE_URL": self._cluster_user(ADMINISTRATOR)}
        if self.proxy is None:
            return administrator | {variable: self._cluster_user(role) for variable, role in ROLES.items()}
        proxy_id = Fn.select(6, Fn.split(":", self.proxy.db_proxy_arn))
        return administrator | {variable: self._user_arn(proxy_id, role) for variable, role in ROLES.items()}

    def _security_group(self, name: str, functions: ec2.ISecurityGroup) -> ec2.SecurityGroup:
        group = ec2.SecurityGroup(
            self, f"{name}Access", vpc=self._vpc, description=f"Database {name.lower()}", allow_all_outbound=False
        )
        # By its id: as a peer of its own the other stack's group would get a rule that points back at this stack.
        peer = ec2.Peer.security_group_id(functions.security_group_id)
        group.add_ingress_rule(peer, ec2.Port.tcp(PORT), "The functions")
        return group

    def _cluster(self, security_group: ec2.SecurityGroup) -> rds.DatabaseCluster:
        config, capacity = self._config, self._config.capacity
        pause = Duration.minutes(capacity.pause_after_minutes) if capacity.min_acu == 0 else None
        cluster = rds.DatabaseCluster(
            self,
            "Cluster",
            # With a name, whatever would replace the cluster by an empty one fails instead.
            cluster_identifier=config.prefix,
            engine=ENGINE,
            parameter_group=rds.ParameterGroup(
                self,
                "Parameters",
                engine=ENGINE,
                parameters={**PARAMETERS, **(PAUSING if capacity.min_acu == 0 else {})},
            ),
            default_database_name=NAME,
            credentials=rds.Credentials.from_username(ADMINISTRATOR, encryption_key=self._key),
            manage_master_user_password=True,
            iam_authentication=True,
            vpc=self._vpc,
            vpc_subnets=self._subnets,
            security_groups=[security_group],
            port=PORT,
            serverless_v2_min_capacity=capacity.min_acu,
            serverless_v2_max_capacity=capacity.max_acu,
            serverless_v2_auto_pause_duration=pause,
            writer=rds.ClusterInstance.serverless_v2("Writer"),
            readers=[rds.ClusterInstance.serverless_v2("Reader", scale_with_writer=True)] if capacity.reader else [],
            storage_encrypted=True,
            storage_encryption_key=self._key,
            backup=rds.BackupProps(retention=Duration.days(config.kept_backup_days)),
            copy_tags_to_snapshot=True,
            deletion_protection=config.keeps_data,
            removal_policy=removal_policy(config),
            cloudwatch_logs_exports=["postgresql"],
            # The paid insights are off; the free ones would not keep a cluster awake, but nor are they needed.
            enable_performance_insights=False,
        )
        # RDS would make it itself, and keep every line for ever.
        cluster.node.add_dependency(
            log_group(self, config, self._key, name=f"/aws/rds/cluster/{config.prefix}/postgresql")
        )
        if not config.keeps_data:
            acknowledge(cluster, "A deployment for development must be destroyed cleanly.", "RDS10")
        return cluster

    def _keep_what_the_cluster_needs(self) -> None:
        """Let its instances, network and parameters share the cluster's fate: they could not be deleted before it."""
        for resource in self.node.find_all():
            if isinstance(resource, NEEDED_BY_CLUSTER):
                resource.apply_removal_policy(removal_policy(self._config))

    def _proxy(self, security_group: ec2.SecurityGroup) -> rds.DatabaseProxy:
        role = iam.Role(
            self,
            "ProxyRole",
            assumed_by=iam.ServicePrincipal("rds.amazonaws.com"),
            description="RDS Proxy logs in as the functions do, without a password",
        )
        role.add_to_policy(
            iam.PolicyStatement(
                sid="ConnectToDatabase",
                actions=["rds-db:connect"],
                resources=[self._cluster_user(name) for name in ROLES.values()],
            )
        )
        return rds.DatabaseProxy(
            self,
            "Proxy",
            proxy_target=rds.ProxyTarget.from_cluster(self.cluster),
            default_auth_scheme=rds.DefaultAuthScheme.IAM_AUTH,
            iam_auth=True,
            require_tls=True,
            role=role,
            vpc=self._vpc,
            vpc_subnets=self._subnets,
            security_groups=[security_group],
            # Below the functions' own patience, so that they learn why.
            borrow_timeout=Duration.seconds(4),
        )

    def _cluster_user(self, role: str) -> str:
        return self._user_arn(self.cluster.cluster_resource_identifier, role)

    def _user_arn(self, resource_id: str, role: str) -> str:
        stack = Stack.of(self)
        return f"arn:{stack.partition}:rds-db:{stack.region}:{stack.account}:dbuser:{resource_id}/{role}"


def _url(host: str, role: str = "") -> str:
    user = f"{role}@" if role else ""
    return f"postgresql://{user}{host}:{PORT}/{NAME}?sslmode=verify-full&sslrootcert={RDS_CERTIFICATES_PATH}"
