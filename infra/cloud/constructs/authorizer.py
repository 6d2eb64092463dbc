"""The REST API's authorizer: asked before every route that is not public, on each request."""

from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway
from constructs import Construct

from infra.cloud.constructs.catalog_function import CatalogFunction


def request_authorizer(
    scope: Construct, function: CatalogFunction, deployment: apigateway.Deployment
) -> apigateway.RequestAuthorizer:
    """Make the authorizer; CDK adds the permission to invoke the function, for this authorizer alone.

    Nothing is cached: a revoked key must be refused by the next request.
    """
    authorizer = apigateway.RequestAuthorizer(
        scope,
        "Authorizer",
        handler=function.function,
        identity_sources=[apigateway.IdentitySource.header("Authorization")],
        results_cache_ttl=Duration.seconds(0),
    )
    # A deployment is a snapshot. CDK makes a new one when a method changes, and a method only refers to its authorizer.
    deployment.add_to_logical_id(
        {"authorizer": {"function": function.spec.name, "source": "Authorization", "cached_seconds": 0}}
    )
    return authorizer
