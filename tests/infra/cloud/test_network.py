"""The way out, and that there is no way in."""

from tests.infra.cloud.templates import Deployment


def test_lean_leaves_by_one_small_instance_and_scale_by_a_gateway_in_each_zone(
    lean: Deployment, scale: Deployment
) -> None:
    assert (len(lean.of("AWS::EC2::Instance")), len(lean.of("AWS::EC2::NatGateway"))) == (1, 0)
    assert (len(scale.of("AWS::EC2::Instance")), len(scale.of("AWS::EC2::NatGateway"))) == (0, 2)


def test_the_nat_instance_is_reached_from_the_network_only_and_repairs_itself(lean: Deployment) -> None:
    network = lean.stacks["network"]
    [(key, instance)] = network.resources("AWS::EC2::Instance").items()
    properties = instance["Properties"]
    [interface] = properties["NetworkInterfaces"]
    group = network.resources("AWS::EC2::SecurityGroup")[interface["GroupSet"][0]["Fn::GetAtt"][0]]
    template = network.resources("AWS::EC2::LaunchTemplate")[properties["LaunchTemplate"]["Version"]["Fn::GetAtt"][0]]

    boot = properties["UserData"]["Fn::Base64"]

    assert boot.index("swapon") < boot.index("dnf install")
    assert properties["SourceDestCheck"] is False
    assert "KeyName" not in properties
    assert properties["BlockDeviceMappings"][0]["Ebs"]["Encrypted"] is True
    assert template["Properties"]["LaunchTemplateData"]["MetadataOptions"]["HttpTokens"] == "required"
    assert {rule["CidrIp"] for rule in group["Properties"]["SecurityGroupIngress"]} == {"10.0.0.0/16"}
    repairs = {
        lean.text(network, action).rpartition(":")[2]
        for alarm in network.resources("AWS::CloudWatch::Alarm").values()
        if alarm["Properties"]["Dimensions"] == [{"Name": "InstanceId", "Value": {"Ref": key}}]
        for action in alarm["Properties"]["AlarmActions"]
    }
    assert repairs == {"recover", "reboot"}


def test_functions_are_in_private_subnets_and_talk_https_and_postgresql_only(deployment: Deployment) -> None:
    network = deployment.stacks["network"]
    for stack, _, function in deployment.functions.values():
        vpc = function["Properties"]["VpcConfig"]
        subnets = [deployment.text(stack, subnet) for subnet in vpc["SubnetIds"]]
        assert len(subnets) == 2
        assert all("functionsSubnet" in subnet for subnet in subnets)
    [group] = [
        found for key, found in network.resources("AWS::EC2::SecurityGroup").items() if key.startswith("Functions")
    ]
    assert "SecurityGroupIngress" not in group["Properties"]
    assert {rule["FromPort"] for rule in group["Properties"]["SecurityGroupEgress"]} == {443, 5432}


def test_no_rule_lets_the_internet_in(deployment: Deployment) -> None:
    inline = [
        rule
        for _, _, group in deployment.of("AWS::EC2::SecurityGroup")
        for rule in group["Properties"].get("SecurityGroupIngress", [])
    ]
    apart = [rule["Properties"] for _, _, rule in deployment.of("AWS::EC2::SecurityGroupIngress")]

    assert not [rule for rule in inline + apart if rule.get("CidrIp") == "0.0.0.0/0" or "CidrIpv6" in rule]


def test_objects_take_the_gateway_endpoint_and_the_default_group_is_closed(deployment: Deployment) -> None:
    [(stack, _, endpoint)] = deployment.of("AWS::EC2::VPCEndpoint")

    assert deployment.text(stack, endpoint["Properties"]["ServiceName"]).endswith(".s3")
    assert len(deployment.of("Custom::VpcRestrictDefaultSG")) == 1
    assert len(deployment.of("AWS::EC2::FlowLog")) == 1
