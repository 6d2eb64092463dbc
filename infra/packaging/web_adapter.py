"""How the streaming function runs under the AWS Lambda Web Adapter, a layer that AWS publishes.

Python's managed runtime cannot stream. The adapter starts `run.sh`, waits until its port takes connections, and turns
each event into an HTTP request; decision 63 says more.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

PUBLISHER: Final = "753240598075"
LAYER_VERSION: Final = 30
"""Web Adapter 1.1.0. AWS publishes the layer region by region; its README names the newest version."""

PORT: Final = 8080

VARIABLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "AWS_LAMBDA_EXEC_WRAPPER": "/opt/bootstrap",
        "AWS_LWA_INVOKE_MODE": "response_stream",
        "AWS_LWA_PORT": str(PORT),
        # The server listens once the application is loaded, so a connection says all that a request would.
        "AWS_LWA_READINESS_CHECK_PROTOCOL": "tcp",
    }
)
"""What the streaming function's environment has besides its settings."""


def web_adapter_layer(partition: str, region: str) -> str:
    """Return the ARN of the adapter's layer for arm64; CDK tokens will do for both."""
    return f"arn:{partition}:lambda:{region}:{PUBLISHER}:layer:LambdaAdapterLayerArm64:{LAYER_VERSION}"
