"""The database of each profile."""

from chatsphere.db.migrate import LOGIN_ROLES
from tests.infra.cloud.templates import Deployment, Resource


def _cluster(deployment: Deployment) -> Resource:
    [(_, _, found)] = deployment.of("AWS::RDS::DBCluster")
    properties: Resource = found["Properties"]
    return properties


def test_lean_pauses_and_has_no_proxy_and_no_reader(lean: Deployment) -> None:
    scaling = _cluster(lean)["ServerlessV2ScalingConfiguration"]

    assert scaling == {"MinCapacity": 0, "MaxCapacity": 4, "SecondsUntilAutoPause": 300}
    assert lean.of("AWS::RDS::DBProxy") == []
    assert len(lean.of("AWS::RDS::DBInstance")) == 1


def test_scale_is_always_ready_behind_a_proxy_that_takes_only_iam_over_tls(scale: Deployment) -> None:
    assert _cluster(scale)["ServerlessV2ScalingConfiguration"] == {"MinCapacity": 1, "MaxCapacity": 32}
    assert len(scale.of("AWS::RDS::DBInstance")) == 2
    [(_, _, proxy)] = scale.of("AWS::RDS::DBProxy")
    assert proxy["Properties"]["DefaultAuthScheme"] == "IAM_AUTH"
    assert proxy["Properties"]["RequireTLS"] is True
    assert "Auth" not in proxy["Properties"]


def test_the_proxy_may_log_in_as_the_roles_of_the_functions_only(scale: Deployment) -> None:
    data = scale.stacks["data"]
    [(_, _, proxy)] = scale.of("AWS::RDS::DBProxy")
    role = proxy["Properties"]["RoleArn"]["Fn::GetAtt"][0]
    [policy] = [
        found["Properties"]["PolicyDocument"]
        for found in data.resources("AWS::IAM::Policy").values()
        if {"Ref": role} in found["Properties"]["Roles"]
    ]

    [statement] = policy["Statement"]
    users = {scale.text(data, resource).rpartition("/")[2] for resource in statement["Resource"]}
    assert statement["Action"] == "rds-db:connect"
    assert users == set(LOGIN_ROLES)


def test_the_server_takes_tls_only_and_its_administrator_has_a_password_that_rds_renews(deployment: Deployment) -> None:
    cluster = _cluster(deployment)
    [(_, _, parameters)] = deployment.of("AWS::RDS::DBClusterParameterGroup")

    assert parameters["Properties"]["Parameters"]["rds.force_ssl"] == "1"
    assert cluster["EnableIAMDatabaseAuthentication"] is True
    assert cluster["StorageEncrypted"] is True
    assert cluster["ManageMasterUserPassword"] is True
    assert "MasterUserPassword" not in cluster


def test_a_cluster_that_may_pause_ends_connections_that_would_keep_it_awake(
    lean: Deployment, scale: Deployment
) -> None:
    [timeouts] = [p["Properties"]["Parameters"] for _, _, p in lean.of("AWS::RDS::DBClusterParameterGroup")]
    [others] = [p["Properties"]["Parameters"] for _, _, p in scale.of("AWS::RDS::DBClusterParameterGroup")]

    assert timeouts["idle_session_timeout"] == "60000"
    assert "idle_session_timeout" not in others


def test_only_functions_and_the_proxy_reach_the_database(deployment: Deployment) -> None:
    data = deployment.stacks["data"]
    peers = {
        deployment.text(data, rule["SourceSecurityGroupId"])
        for group in data.resources("AWS::EC2::SecurityGroup").values()
        for rule in group["Properties"]["SecurityGroupIngress"]
    } | {
        deployment.text(data, rule["Properties"]["SourceSecurityGroupId"])
        for rule in data.resources("AWS::EC2::SecurityGroupIngress").values()
    }

    assert {peer.split(".")[1].rstrip("0123456789ABCDEF") for peer in peers} <= {"Functions", "DatabaseProxyAccess"}
    for _, _, instance in deployment.of("AWS::RDS::DBInstance"):
        assert instance["Properties"]["PubliclyAccessible"] is False


def test_prod_is_protected_and_backed_up(lean: Deployment, scale: Deployment) -> None:
    assert (_cluster(lean)["DeletionProtection"], _cluster(lean)["BackupRetentionPeriod"]) == (False, 1)
    assert (_cluster(scale)["DeletionProtection"], _cluster(scale)["BackupRetentionPeriod"]) == (True, 14)


def test_scale_still_exports_what_the_functions_of_lean_import(lean: Deployment, scale: Deployment) -> None:
    """The database's stack is deployed first: CloudFormation refuses to take away what another one still imports."""

    def exports(deployment: Deployment) -> set[str]:
        outputs = deployment.stacks["data"].body["Outputs"].values()
        return {output["Export"]["Name"].partition(":")[2] for output in outputs if "Export" in output}

    assert exports(lean) <= exports(scale)


def test_where_a_region_is_named_each_days_snapshot_is_copied_there_under_a_key_of_that_region(
    everything: Deployment,
) -> None:
    region = everything.config.backup_copy_region
    copies, backup = everything.stacks["copies"], everything.stacks["backup"]
    [(_, _, plan)] = everything.of("AWS::Backup::BackupPlan")
    [rule] = plan["Properties"]["BackupPlan"]["BackupPlanRule"]
    [copy] = rule["CopyActions"]

    kept = {"DeleteAfterDays": everything.config.backup_days}
    assert rule["Lifecycle"] == copy["Lifecycle"] == kept
    [vault] = copies.resources("AWS::Backup::BackupVault").values()
    [key] = copies.resources("AWS::KMS::Key")
    name = vault["Properties"]["BackupVaultName"]
    assert everything.text(backup, copy["DestinationBackupVaultArn"]).endswith(
        f":backup:{region}:${{AWS::AccountId}}:backup-vault:{name}"
    )
    assert vault["Properties"]["EncryptionKeyArn"] == {"Fn::GetAtt": [key, "Arn"]}
    [(_, _, selection)] = everything.of("AWS::Backup::BackupSelection")
    [selected] = selection["Properties"]["BackupSelection"]["Resources"]
    cluster = next(iter(everything.stacks["data"].resources("AWS::RDS::DBCluster")))
    assert everything.text(backup, selected).endswith(f":cluster:${{data.{cluster}}}")


def test_nothing_is_copied_unless_a_region_is_named(deployment: Deployment) -> None:
    assert deployment.config.backup_copy_region is None
    assert not {"copies", "backup"} & set(deployment.stacks)
    assert deployment.of("AWS::Backup::BackupPlan") == []


def test_a_deployment_says_for_how_many_days_a_moment_can_be_restored(everything: Deployment) -> None:
    assert _cluster(everything)["BackupRetentionPeriod"] == everything.config.backup_days == 35
