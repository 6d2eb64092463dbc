"""The layers of one stack. Each stack makes its own of the same content, and none imports another's.

A layer's version is replaced whenever its content changes, and CloudFormation refuses to replace what another stack
imports: with shared layers the second deployment would fail.
"""

from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.cloud.assets import Assets
from infra.packaging.targets import LAMBDA_PYTHON

RUNTIME: Final = lambda_.Runtime(f"python{LAMBDA_PYTHON}", lambda_.RuntimeFamily.PYTHON, supports_inline_code=True)
ARCHITECTURE: Final = lambda_.Architecture.ARM_64


class Layers(Construct):
    """Layers by name, each made when a function of the stack first wants it."""

    def __init__(self, scope: Construct, assets: Assets) -> None:
        super().__init__(scope, "Layers")
        self._assets = assets
        self._made: dict[str, lambda_.LayerVersion] = {}

    @classmethod
    def of(cls, scope: Construct, assets: Assets) -> "Layers":
        """Return the layers of the stack that `scope` is in."""
        stack = Stack.of(scope)
        present = stack.node.try_find_child("Layers")
        return present if isinstance(present, cls) else cls(stack, assets)

    def layer(self, name: str) -> lambda_.LayerVersion:
        """Return the stack's layer of this name."""
        if name not in self._made:
            self._made[name] = lambda_.LayerVersion(
                self,
                name.title().replace("_", ""),
                code=lambda_.Code.from_asset(str(self._assets.layer(name))),
                compatible_runtimes=[RUNTIME],
                compatible_architectures=[ARCHITECTURE],
            )
        return self._made[name]
