"""A name of the deployment's own for the API."""

from aws_cdk import CfnOutput
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_certificatemanager as acm
from constructs import Construct

from infra.cloud.config import Domain


class ApiDomain(Construct):
    """Maps the whole name to the API's stage; its zone needs a CNAME or alias to the address in the output."""

    def __init__(self, scope: Construct, domain: Domain, api: apigateway.SpecRestApi) -> None:
        super().__init__(scope, "Domain")
        certificate = acm.Certificate.from_certificate_arn(self, "Certificate", domain.certificate_arn)
        name = apigateway.DomainName(
            self,
            "Name",
            domain_name=domain.name,
            certificate=certificate,
            endpoint_type=apigateway.EndpointType.REGIONAL,
            security_policy=apigateway.SecurityPolicy.TLS_1_2,
        )
        name.add_base_path_mapping(api, stage=api.deployment_stage)
        CfnOutput(
            self,
            "Target",
            value=name.domain_name_alias_domain_name,
            description=f"Point {domain.name} here",
        )
