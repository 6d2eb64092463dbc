"""The CDK application."""

from infra.cloud.node import use_packaged_node

# aws_cdk starts Node when it is first imported, and every module that imports it is below this package.
use_packaged_node()
