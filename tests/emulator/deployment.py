"""Deploys a cloud assembly as `cdk deploy` would: assets into the bootstrap bucket, then stack by stack."""

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError

from infra.catalog import FunctionSpec
from infra.cloud.app import build_app
from infra.cloud.config import load_config
from infra.packaging.functions import build_function
from infra.packaging.layers import build_layer
from infra.packaging.targets import this_machine
from tests.emulator.ministack import ACCOUNT, REGION, EmulatorError, MiniStack
from tests.emulator.templates import Template
from tests.waiting import wait_for

DEPLOYMENT: Final = "lean-dev"
BOOTSTRAP_VERSION: Final = ("/cdk-bootstrap/hnb659fds/version", "30")
ASSETS_BUCKET: Final = f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"
STACK_SECONDS: Final = 300


class MachineAssets:
    """Functions and layers as they are deployed, but built for this machine."""

    def layer(self, name: str) -> Path:
        """See `infra.cloud.assets.Assets.layer`."""
        return build_layer(name, this_machine())

    def function(self, spec: FunctionSpec) -> Path:
        """See `infra.cloud.assets.Assets.function`."""
        return build_function(spec, this_machine())


@dataclass(frozen=True)
class Assembly:
    """What synthesis wrote. `stacks`: the templates by the stacks' names, each after those that it depends on."""

    folder: Path
    stacks: dict[str, Template]


def synthesize(folder: Path) -> Assembly:
    """Synthesize the deployment."""
    made = build_app(load_config(DEPLOYMENT), MachineAssets(), outdir=folder).synth()
    return Assembly(
        folder, {stack.stack_name: json.loads(Path(stack.template_full_path).read_text()) for stack in made.stacks}
    )


def bootstrap(ministack: MiniStack) -> None:
    """Make what `cdk bootstrap` makes in an account, as far as a deployment sees it."""
    name, value = BOOTSTRAP_VERSION
    ministack.client("ssm").put_parameter(Name=name, Value=value, Type="String")
    ministack.client("s3").create_bucket(Bucket=ASSETS_BUCKET)


def upload_assets(ministack: MiniStack, assembly: Assembly) -> int:
    """Upload every file asset but the templates to where the templates look for it; return how many there are."""
    client, uploaded = ministack.client("s3"), set[str]()
    for manifest in sorted(assembly.folder.glob("*.assets.json")):
        for file in json.loads(manifest.read_text())["files"].values():
            if file["source"]["packaging"] != "zip":
                continue
            for destination in file["destinations"].values():
                key = destination["objectKey"]
                if key not in uploaded:
                    client.put_object(
                        Bucket=ASSETS_BUCKET, Key=key, Body=_zip(assembly.folder / file["source"]["path"])
                    )
                    uploaded.add(key)
    return len(uploaded)


def _zip(folder: Path) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    return content.getvalue()


def deploy(ministack: MiniStack, name: str, template: Template) -> int:
    """Create a stack and return how many resources it has.

    Raises:
        EmulatorError: the emulator refuses the template, or a resource cannot be made; the message says which and why.
    """
    key = f"{name}.template.json"
    # A template in the request itself may have 51,200 bytes.
    ministack.client("s3").put_object(Bucket=ASSETS_BUCKET, Key=key, Body=json.dumps(template).encode())
    client = ministack.client("cloudformation")
    try:
        client.create_stack(
            StackName=name,
            TemplateURL=f"{ministack.url}/{ASSETS_BUCKET}/{key}",
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
            OnFailure="DO_NOTHING",
        )
    except ClientError as error:
        raise EmulatorError(f"{name}: {error.response['Error']['Message']}") from None
    status = wait_for(lambda: _settled(client, name), what=f"the stack {name}", timeout_seconds=STACK_SECONDS)
    if status != "CREATE_COMPLETE":
        raise EmulatorError(f"{name}: {status}\n" + "\n".join(_failures(client, name)))
    return len(template["Resources"])


def physical_id(ministack: MiniStack, stack: str, logical_id: str) -> str:
    """Return what a resource of a stack is really called."""
    answer = ministack.client("cloudformation").describe_stack_resource(StackName=stack, LogicalResourceId=logical_id)
    return str(answer["StackResourceDetail"]["PhysicalResourceId"])


def outputs(ministack: MiniStack, stack: str) -> dict[str, str]:
    """Return the outputs of a stack."""
    described = ministack.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}


def _settled(client: Any, name: str) -> str | None:
    status = str(client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])
    return None if status.endswith("_IN_PROGRESS") else status


def _failures(client: Any, name: str) -> Iterator[str]:
    for event in client.describe_stack_events(StackName=name)["StackEvents"]:
        if event["ResourceStatus"].endswith("_FAILED"):
            kind, logical_id = event["ResourceType"], event["LogicalResourceId"]
            yield f"  {kind} {logical_id}: {event.get('ResourceStatusReason', 'no reason given')}"
