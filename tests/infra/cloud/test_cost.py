"""What the deployments cost, by the project's own computation."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from infra.cloud.cost.bill import Usage, make_bill
from infra.cloud.cost.free import FREE
from infra.cloud.cost.idle import RULES, UnpricedError, idle_usage
from infra.cloud.cost.prices import load_prices
from infra.cloud.cost.report import Costs, costs_of
from infra.cloud.cost.schedules import awake_seconds
from infra.cloud.cost.templates import Deployment, Resource, deployment_from_templates
from tests.infra.cloud import templates

MOST_DOLLARS_LEAN = 15


def priced(synthesized: templates.Deployment) -> Deployment:
    return deployment_from_templates(
        synthesized.config.prefix, {name: stack.body for name, stack in synthesized.stacks.items()}
    )


def costs(synthesized: templates.Deployment) -> Costs:
    return costs_of(priced(synthesized), load_prices())


def quantities(synthesized: templates.Deployment) -> dict[str, float]:
    return {line.meter: line.quantity for line in costs(synthesized).idle_month.lines}


def one(type_: str, **properties: object) -> Deployment:
    return Deployment("one", (Resource("stack", "Thing", type_, properties),))


def test_lean_idles_at_fifteen_dollars_a_month_at_most(lean: templates.Deployment) -> None:
    bill = costs(lean).idle_month
    assert 5 < bill.dollars <= MOST_DOLLARS_LEAN
    assert bill.dollars == pytest.approx(sum(line.dollars for line in bill.lines))


def test_lean_pays_for_the_way_out_and_for_each_wake_of_the_database(lean: templates.Deployment) -> None:
    found = quantities(lean)
    assert found["instance_t4g_nano"] == found["public_ipv4"] == 730
    assert found["ebs_gp3"] == 8
    assert "nat_gateway" not in found
    assert "rds_proxy_acu" not in found
    # The last of the jobs that follow the reaper runs a minute after it, two at midnight, three on Sundays.
    run, pause = 20, 60 + 300
    awake = 21 * (60 + run + pause) + 6 * (120 + run + pause) + (180 + run + pause)
    assert found["aurora_acu"] == pytest.approx(730 / 168 * awake / 3600)


def test_scale_is_itemised(scale: templates.Deployment) -> None:
    found = quantities(scale)
    assert found["nat_gateway"] == found["public_ipv4"] == 2 * 730
    assert found["aurora_acu"] == 2 * 730
    assert found["rds_proxy_acu"] == 8 * 730
    assert found["waf_acl"] == found["pinecone_plan"] == found["kms_key"] == 1
    assert found["alarm_metric"] == len(scale.of("AWS::CloudWatch::Alarm"))
    assert costs(scale).idle_month.dollars > 300


def test_every_resource_type_of_every_deployment_has_a_price_or_is_known_to_be_free(
    lean: templates.Deployment, scale: templates.Deployment, everything: templates.Deployment
) -> None:
    types = {resource.type for d in (lean, scale, everything) for resource in priced(d).resources}
    assert types <= RULES.keys() | FREE.keys()
    assert not RULES.keys() & FREE.keys()


def test_an_unknown_type_stops_the_computation_and_is_named() -> None:
    with pytest.raises(UnpricedError, match="stack/Thing is a AWS::Redshift::Cluster"):
        list(idle_usage(one("AWS::Redshift::Cluster")))


@pytest.mark.parametrize(
    "deployment",
    [
        one("AWS::RDS::DBInstance", DBInstanceClass="db.r8g.large"),
        one("AWS::Backup::BackupPlan", BackupPlan={"BackupPlanRule": [{"ScheduleExpression": "cron(0 3 ? * 1 *)"}]}),
        one("AWS::Logs::LogGroup"),
        one("AWS::Lambda::EventSourceMapping", ProvisionedPollerConfig={"MinimumPollers": 1}),
        one("AWS::CloudWatch::Alarm", Metrics=[{"Expression": 'SELECT SUM(Errors) FROM "AWS/Lambda"'}]),
        one("AWS::CloudWatch::Alarm", Period=10),
    ],
    ids=lambda deployment: deployment.resources[0].type,
)
def test_a_property_that_costs_more_than_the_rule_knows_stops_it_too(deployment: Deployment) -> None:
    with pytest.raises(UnpricedError, match="stack/Thing"):
        list(idle_usage(deployment))


@pytest.mark.parametrize(
    "expression", ["rate(5 minutes)", "cron(0 3 L * ? *)", "cron(0 3 ? * ABC *)", "at(2026-11-22)"]
)
def test_a_schedule_that_is_not_understood_stops_it(expression: str) -> None:
    with pytest.raises(UnpricedError, match=re.escape(expression)):
        list(idle_usage(one("AWS::Scheduler::Schedule", ScheduleExpression=expression)))


@pytest.mark.parametrize(
    ("runs", "awake"),
    [
        ([], 0),
        ([0], 15 + 20 + 300),
        ([0, 100], 100 + 20 + 300),
        ([0, 20], 15 + 20 + 300 + 5),
        ([0, 335], 2 * 335),
        ([0, 604_700], 100 + 20 + 300),
        (list(range(0, 604_800, 60)), 604_800),
    ],
    ids=["never", "one", "within", "while it wakes", "as it pauses", "over the week's end", "always"],
)
def test_times_awake_that_overlap_are_counted_once(runs: list[int], awake: float) -> None:
    assert awake_seconds(runs, wake=15, run=20, pause=300) == pytest.approx(awake)


def test_copies_in_another_region_are_paid_for_where_they_are_made(everything: templates.Deployment) -> None:
    found = quantities(everything)
    assert found["backup_storage"] == 2 * 35
    assert found["region_transfer"] == pytest.approx(730 / 24)
    assert found["kms_key"] == 2


def test_an_instance_of_a_type_without_a_price_stops_it() -> None:
    usages = idle_usage(one("AWS::EC2::Instance", InstanceType="m7g.16xlarge"))
    with pytest.raises(KeyError, match="m7g_16xlarge"):
        make_bill(usages, load_prices())


def test_snapstart_is_paid_for_while_a_version_is_there() -> None:
    function = Resource(
        "s", "F", "AWS::Lambda::Function", {"MemorySize": 512, "SnapStart": {"ApplyOn": "PublishedVersions"}}
    )
    version = Resource("s", "V", "AWS::Lambda::Version", {"FunctionName": {"Ref": "F"}})
    bill = make_bill(idle_usage(Deployment("snap", (function, version))), load_prices())
    assert bill.dollars == pytest.approx(0.5 * 730 * 3600 * 0.0000015046)


def test_an_alarm_on_an_expression_pays_for_each_metric() -> None:
    queries = [{"Id": "sum", "Expression": "a+b"}, {"Id": "a", "MetricStat": {}}, {"Id": "b", "MetricStat": {}}]
    (usage,) = idle_usage(one("AWS::CloudWatch::Alarm", Metrics=queries))
    assert (usage.meter, usage.quantity) == ("alarm_metric", 2)


def test_free_units_are_taken_off_once_for_all() -> None:
    usages = [Usage("alarm_metric", 8, "a"), Usage("alarm_metric", 8, "b")]
    (line,) = make_bill(usages, load_prices()).lines
    assert (line.quantity, line.free, line.causes) == (16, 10, ("a", "b"))
    assert line.dollars == pytest.approx(0.60)


def test_messages_and_pages_cost_more_than_nothing_and_the_models_are_in_it(
    lean: templates.Deployment, scale: templates.Deployment
) -> None:
    for synthesized in (lean, scale):
        found = costs(synthesized)
        of_messages = {line.meter: line for line in found.thousand_messages.lines}
        assert {"gemini_prompt_token", "gemini_answer_token", "lambda_gb_second", "api_request"} <= of_messages.keys()
        assert of_messages["api_request"].free == 0
        assert 0.1 < found.thousand_messages.dollars < 10
        assert 0.01 < found.thousand_pages.dollars < 5
    assert "pinecone_read_unit" in {line.meter for line in costs(scale).thousand_messages.lines}


def chatsphere(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    program = "import sys; from chatsphere.cli.main import main; from infra.cloud.cost.cli import register; "
    program += "from chatsphere.cli.main import app; names = [c.name for c in app.registered_commands]; "
    program += "'cost' in names or register(app); sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False, cwd=folder
    )


def test_the_command_reads_templates_wherever_it_is_called(scale: templates.Deployment, tmp_path: Path) -> None:
    assembly = tmp_path / "cdk.out" / "scale-prod"
    assembly.mkdir(parents=True)
    for name, stack in scale.stacks.items():
        (assembly / f"{name}.template.json").write_text(json.dumps(stack.body))

    done = chatsphere("cost", "--templates", str(tmp_path / "cdk.out"), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "scale-prod: a month in which nobody asks: $" in done.stdout
    assert "rds proxy acu" in done.stdout
    assert "Assumed:" in done.stdout

    done = chatsphere("--json", "cost", "--templates", str(tmp_path / "cdk.out"), folder=tmp_path)
    assert json.loads(done.stdout)["deployments"]["scale-prod"]["idle_month"]["dollars"] > 300


def test_without_templates_the_command_says_how_to_make_them(tmp_path: Path) -> None:
    done = chatsphere("cost", "--templates", str(tmp_path), folder=tmp_path)
    assert done.returncode == 1
    assert "make synth" in done.stderr
