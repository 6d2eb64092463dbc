"""A substitution changes what it says and nothing else."""

import copy
from typing import Any

from tests.emulator.changes import GATEWAY_RESPONSES, INTEGRATION, PROXY_VARIABLE, REST_API, Outside
from tests.emulator.substitutions import substitute
from tests.emulator.templates import Template, leave_out

OUTSIDE = Outside(
    {"DATABASE_URL": "postgresql://app:secret@127.0.0.1/db"},
    {"username": "admin", "password": "secret"},
    "http://127.0.0.1:1",
    "http://127.0.0.1:2",
)


def template(**made: dict[str, Any]) -> Template:
    return {"Resources": made}


def function(*, handler: str = "handler.handler", layers: list[Any] | None = None, **variables: Any) -> dict[str, Any]:
    properties = {"Handler": handler, "Layers": layers or [], "Environment": {"Variables": variables}}
    return {"Type": "AWS::Lambda::Function", "Properties": properties}


def variables_of(made: Template, name: str) -> dict[str, Any]:
    variables: dict[str, Any] = made["Resources"][name]["Properties"]["Environment"]["Variables"]
    return variables


def substituted(made: Template) -> Template:
    substitute({"stack": made}, OUTSIDE)
    return made


def test_what_refers_to_a_resource_that_is_left_out_gets_a_name_that_leads_nowhere() -> None:
    # Given
    made = template(
        Gone={"Type": "A"},
        GoneNot={"Type": "A"},
        Kept={
            "Type": "B",
            "DependsOn": ["Gone", "GoneNot"],
            "Properties": [
                {"Ref": "Gone"},
                {"Fn::GetAtt": ["Gone", "Arn"]},
                {"Fn::Sub": "${Gone}/${Gone.Arn}/${GoneNot}/${AWS::Region}"},
                {"Ref": "GoneNot"},
            ],
        },
    ) | {"Outputs": {"Name": {"Value": {"Ref": "Gone"}}}}
    # When
    leave_out(made, "Gone")
    # Then
    nowhere = "left-out-Gone"
    assert made == {
        "Resources": {
            "GoneNot": {"Type": "A"},
            "Kept": {
                "Type": "B",
                "DependsOn": ["GoneNot"],
                "Properties": [
                    nowhere,
                    nowhere,
                    {"Fn::Sub": f"{nowhere}/{nowhere}/${{GoneNot}}/${{AWS::Region}}"},
                    {"Ref": "GoneNot"},
                ],
            },
        },
        "Outputs": {"Name": {"Value": nowhere}},
    }


def test_a_template_with_nothing_to_stand_in_for_stays_as_it_is() -> None:
    made = template(Queue={"Type": "AWS::SQS::Queue"}, Function=function(UPLOADS_BUCKET="b"))
    before = copy.deepcopy(made)
    places = substitute({"stack": made}, OUTSIDE)
    assert made == before
    assert set(places.values()) == {0}


def test_a_function_reaches_the_database_beside_the_emulator_with_a_password() -> None:
    made = substituted(template(F=function(DATABASE_URL={"Fn::Join": []}, DATABASE_AUTHENTICATION="iam", OTHER="x")))
    assert variables_of(made, "F") == {
        "DATABASE_URL": OUTSIDE.database_urls["DATABASE_URL"],
        "DATABASE_AUTHENTICATION": "password",
        "OTHER": "x",
    }


def test_the_clusters_own_secret_is_one_that_every_reader_is_permitted_to_read() -> None:
    arn = {"Fn::GetAtt": ["Cluster", "MasterUserSecret.SecretArn"]}
    made = substituted(template(F=function(ADMIN_CREDENTIALS_SECRET=arn), P={"Type": "P", "Resource": arn}))
    (secret,) = (
        name for name, made_of in made["Resources"].items() if made_of["Type"] == "AWS::SecretsManager::Secret"
    )
    attribute = {"Fn::GetAtt": [secret, "Id"]}
    assert variables_of(made, "F")["ADMIN_CREDENTIALS_SECRET"] == attribute
    assert made["Resources"]["P"]["Resource"] == attribute


def test_a_secret_is_named_by_its_arn() -> None:
    secret = {"Type": "AWS::SecretsManager::Secret"}
    made = substituted(template(S=secret, Q={"Type": "AWS::SQS::Queue"}, F=function(A={"Ref": "S"}, B={"Ref": "Q"})))
    assert variables_of(made, "F") == {"A": {"Fn::GetAtt": ["S", "Id"]}, "B": {"Ref": "Q"}}


def test_who_may_send_may_send_batches() -> None:
    def policy(*actions: Any) -> dict[str, Any]:
        statements = [{"Action": action} for action in actions]
        return {"Type": "AWS::IAM::Policy", "Properties": {"PolicyDocument": {"Statement": statements}}}

    made = substituted(template(P=policy("sqs:SendMessage", ["a:b", "sqs:SendMessage"], "sqs:ReceiveMessage")))
    assert made["Resources"]["P"] == policy(
        ["sqs:SendMessage", "sqs:SendMessageBatch"],
        ["a:b", "sqs:SendMessage", "sqs:SendMessageBatch"],
        "sqs:ReceiveMessage",
    )


def test_only_the_function_under_the_web_adapter_is_run_outside() -> None:
    own, foreign = {"Ref": "Core"}, {"Fn::Join": ["", ["arn:", "layer"]]}
    made = substituted(
        template(Web=function(handler="run.sh", layers=[foreign, own]), Other=function(layers=[own], A="x"))
    )
    assert variables_of(made, "Web") == {PROXY_VARIABLE: OUTSIDE.web_adapter_url}
    assert made["Resources"]["Web"]["Properties"]["Layers"] == [own]
    assert variables_of(made, "Other") == {"A": "x"}


def test_a_streamed_method_calls_its_function_buffered() -> None:
    def api(streamed_path: str) -> dict[str, Any]:
        paths = {
            "/a": {"get": method("BUFFERED", "/invocations"), "post": method("STREAM", streamed_path)},
            "/b": {"options": {INTEGRATION: {"type": "mock"}}},
        }
        return {"Type": REST_API, "Properties": {"Body": {"paths": paths}}}

    def method(mode: str, path: str) -> dict[str, Any]:
        uri = {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Region"}, path]]}
        return {INTEGRATION: {"responseTransferMode": mode, "uri": uri}}

    made = substituted(template(A=api("/response-streaming-invocations")))
    assert made["Resources"] == {"A": api("/invocations")}


def test_the_gateways_own_answers_become_resources_that_are_deployed() -> None:
    answer = {"statusCode": "404", "responseParameters": {"a": "b"}, "responseTemplates": {"c": "d"}}
    body = {"paths": {}, GATEWAY_RESPONSES: {"NOT_FOUND": answer}}
    api = {"Type": REST_API, "Properties": {"Body": body}}
    deployment = {"Type": "AWS::ApiGateway::Deployment", "DependsOn": ["F"]}
    made = substituted(template(A=api, D=deployment))["Resources"]
    assert made["A"]["Properties"]["Body"] == {"paths": {}}
    assert made["D"]["DependsOn"] == ["F", "EmulatorNotFound"]
    assert made["EmulatorNotFound"]["Properties"] == {
        "RestApiId": {"Ref": "A"},
        "ResponseType": "NOT_FOUND",
        "StatusCode": "404",
        "ResponseParameters": {"a": "b"},
        "ResponseTemplates": {"c": "d"},
    }
