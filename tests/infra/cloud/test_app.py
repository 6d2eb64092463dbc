"""The application as a whole: what refuses to be synthesized, and what one stack may know of another."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Stack as CdkStack
from aws_cdk import aws_sqs as sqs

from infra.catalog import FUNCTIONS, FunctionSpec
from infra.cloud import app
from infra.cloud.assets import PlaceholderAssets
from infra.cloud.cdk import COMMAND_LINE
from infra.cloud.cdk import main as cdk
from infra.cloud.config import load_config
from tests.infra.cloud.templates import Deployment

CHANGES_AT_EACH_DEPLOYMENT = {"AWS::Lambda::LayerVersion", "AWS::Lambda::Version", "AWS::ApiGateway::Deployment"}
LEAN = load_config("lean-dev")


@dataclass(frozen=True)
class Telegram:
    """A trigger that nothing here knows."""


def _imports(value: Any) -> list[str]:
    if isinstance(value, dict):
        named = [str(value["Fn::ImportValue"])] if "Fn::ImportValue" in value else []
        return named + [found for inner in value.values() for found in _imports(inner)]
    return [found for inner in value for found in _imports(inner)] if isinstance(value, list) else []


def test_no_stack_imports_what_changes_at_each_deployment(deployment: Deployment) -> None:
    imported = {name for stack in deployment.stacks.values() for name in _imports(stack.body)}
    kinds = set()
    for stack in deployment.stacks.values():
        for output in stack.body.get("Outputs", {}).values():
            if output.get("Export", {}).get("Name") in imported:
                value = output["Value"]
                named = value.get("Ref") or value["Fn::GetAtt"][0]
                kinds.add(stack.body["Resources"][named]["Type"])

    assert "AWS::KMS::Key" in kinds
    assert not kinds & CHANGES_AT_EACH_DEPLOYMENT


def test_every_stack_has_the_layers_of_its_own_functions(deployment: Deployment) -> None:
    for stack, _, function in deployment.functions.values():
        own = [layer for layer in function["Properties"]["Layers"] if "Ref" in layer]
        assert {layer["Ref"] for layer in own} <= set(stack.resources("AWS::Lambda::LayerVersion"))
        assert _imports(function["Properties"]["Layers"]) == []


def test_a_trigger_that_no_stack_knows_stops_synthesis(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    unknown = FunctionSpec("read_telegrams", Telegram(), settings=())  # type: ignore[arg-type]
    monkeypatch.setattr(app, "FUNCTIONS", (*FUNCTIONS, unknown))

    with pytest.raises(app.UnplacedFunctionError, match=r"read_telegrams \(Telegram\)"):
        app.build_app(LEAN, PlaceholderAssets(tmp_path), outdir=tmp_path / "out")


def test_a_finding_of_cdk_nag_stops_synthesis(tmp_path: Path) -> None:
    application = app.build_app(LEAN, PlaceholderAssets(tmp_path), outdir=tmp_path / "out")
    sqs.Queue(CdkStack(application, "careless"), "PlainHttpIsWelcome")

    with pytest.raises(RuntimeError, match="ValidationFailed"):
        application.synth()


def test_the_command_line_names_the_deployments_there_are(capfd: pytest.CaptureFixture[str]) -> None:
    assert cdk(["nosuch", "diff"]) == app.WRONG_INPUT
    assert "there are: lean-dev, lean-prod, scale-prod" in capfd.readouterr().err


def test_the_command_line_is_pinned_by_its_hash_and_names_no_registry() -> None:
    locked = json.loads((COMMAND_LINE / "package-lock.json").read_text())["packages"]
    wanted = json.loads((COMMAND_LINE / "package.json").read_text())["dependencies"]["aws-cdk"]

    assert locked["node_modules/aws-cdk"]["version"] == wanted
    for name, package in locked.items():
        assert "resolved" not in package
        assert not name or package["integrity"].startswith("sha512-")


def test_prod_does_not_let_go_of_what_holds_data(lean: Deployment, scale: Deployment) -> None:
    assert scale.protected == {"network", "secrets", "data"}
    assert lean.protected == set()


def test_it_needs_no_node_on_the_machine() -> None:
    environment = {"PATH": "/nonexistent", "PYTHONPATH": os.pathsep.join(sys.path)}
    program = "import infra.cloud, aws_cdk; print(aws_cdk.Fn.get_azs() and 'synthesized')"

    answer = subprocess.run(  # its own process: this one has a Node already
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False, timeout=60
    )

    assert (answer.stdout, answer.stderr) == ("synthesized\n", "")
