"""Tasks: services that are called, tokens that are waited for, activities, executions inside of executions."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import RunningEmulator
from tests.services.stepfunctions.conftest import ROLE, Machines


def name_of(machines: Machines) -> str:
    return machines.make({"A": {"Type": "Succeed"}}).rpartition(":")[2]


@pytest.fixture
def queue(sqs: Any, machines: Machines) -> str:
    url: str = sqs.create_queue(QueueName=name_of(machines))["QueueUrl"]
    return url


def receive(sqs: Any, queue: str) -> str:
    found = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20)["Messages"][0]
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=found["ReceiptHandle"])
    body: str = found["Body"]
    return body


def function(emulator: RunningEmulator, name: str, code: str) -> str:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("index.py", code)
    answer = emulator.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.12",
        Handler="index.handler",
        Role=ROLE,
        Code={"ZipFile": archive.getvalue()},
        Timeout=30,
    )
    arn: str = answer["FunctionArn"]
    return arn


def task(resource: str, parameters: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"T": {"Type": "Task", "Resource": resource, "Parameters": parameters, "End": True, **fields}}


def test_message_is_sent_to_a_queue(machines: Machines, sqs: Any, queue: str) -> None:
    parameters = {"QueueUrl": queue, "MessageBody.$": "$"}
    output = machines.output(task("arn:aws:states:::sqs:sendMessage", parameters), {"a": 1})
    assert output["SdkHttpMetadata"]["HttpStatusCode"] == 200
    assert set(output) == {"MD5OfMessageBody", "MessageId", "SdkHttpMetadata", "SdkResponseMetadata"}
    assert json.loads(receive(sqs, queue)) == {"a": 1}


def test_events_of_a_task(machines: Machines, queue: str) -> None:
    parameters = {"QueueUrl": queue, "MessageBody": "x"}
    states = task("arn:aws:states:::sqs:sendMessage", parameters, TimeoutSeconds=60, HeartbeatSeconds=30)
    execution = machines.start(machines.make(states))
    machines.ended(execution)
    scheduled = next(event for event in machines.events(execution) if event["type"] == "TaskScheduled")
    assert scheduled["taskScheduledEventDetails"] == {
        "resourceType": "sqs",
        "resource": "sendMessage",
        "region": "us-east-1",
        "parameters": json.dumps(parameters, separators=(",", ":")),
        "timeoutInSeconds": 60,
        "heartbeatInSeconds": 30,
    }
    assert machines.types(execution) == [
        "ExecutionStarted",
        "TaskStateEntered",
        "TaskScheduled",
        "TaskStarted",
        "TaskSucceeded",
        "TaskStateExited",
        "ExecutionSucceeded",
    ]


def test_topic_gets_what_is_published(machines: Machines, emulator: RunningEmulator, sqs: Any, queue: str) -> None:
    sns = emulator.client("sns")
    topic = sns.create_topic(Name=name_of(machines))["TopicArn"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    attributes = {"kind": {"DataType": "String", "StringValue.$": "$.kind"}}
    parameters = {"TopicArn": topic, "Message": {"x": [1]}, "MessageAttributes": attributes}
    assert "MessageId" in machines.output(task("arn:aws:states:::sns:publish", parameters), {"kind": "k"})
    envelope = json.loads(receive(sqs, queue))
    assert json.loads(envelope["Message"]) == {"x": [1]}
    assert envelope["MessageAttributes"] == {"kind": {"Type": "String", "Value": "k"}}


def test_items_are_written_read_and_deleted(machines: Machines, emulator: RunningEmulator) -> None:
    table = name_of(machines)
    emulator.client("dynamodb").create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    key = {"id": {"S.$": "$.id"}}

    def of(action: str, **more: Any) -> dict[str, Any]:
        parameters = {"TableName": table, **more}
        resource = f"arn:aws:states:::dynamodb:{action}"
        return {"Type": "Task", "Resource": resource, "Parameters": parameters, "ResultPath": f"$.{action}"}

    update = {"UpdateExpression": "SET n = n + :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
    states = {
        "P": {**of("putItem", Item={"id": {"S.$": "$.id"}, "n": {"N": "4"}}), "Next": "U"},
        "U": {**of("updateItem", Key=key, **update, ReturnValues="ALL_NEW"), "Next": "G"},
        "G": {**of("getItem", Key=key, ConsistentRead=True), "Next": "D"},
        "D": {**of("deleteItem", Key=key), "Next": "N"},
        "N": {**of("getItem", Key=key), "End": True},
    }
    output = machines.output(states, {"id": "one"})
    assert output["updateItem"]["Attributes"] == {"id": {"S": "one"}, "n": {"N": "5"}}
    assert "Item" not in output["getItem"]


def test_missing_parameter_is_refused_by_the_service(machines: Machines, queue: str) -> None:
    error, cause = machines.failure(task("arn:aws:states:::sqs:sendMessage", {"QueueUrl": queue}))
    assert error == "SQS.AmazonSQSException"
    assert str(cause).startswith("The request must contain the parameter MessageBody. (Service: AmazonSQS; ")


def test_unknown_parameter_ends_the_execution(machines: Machines, queue: str) -> None:
    parameters = {"QueueUrl": queue, "MessageBody": "x", "Nonsense": 1}
    error, cause = machines.failure(task("arn:aws:states:::sqs:sendMessage", parameters))
    assert error == "States.Runtime"
    assert 'The field "Nonsense" is not supported by Step Functions' in str(cause)


def test_task_with_credentials_is_another_accounts(machines: Machines, emulator: RunningEmulator) -> None:
    name = name_of(machines)
    emulator.client("sqs", account="111122223333").create_queue(QueueName=name)
    credentials = {"RoleArn": "arn:aws:iam::111122223333:role/there"}
    states = task("arn:aws:states:::aws-sdk:sqs:getQueueUrl", {"QueueName": name}, Credentials=credentials)
    execution = machines.start(machines.make(states))
    assert "111122223333" in machines.ended(execution)["output"]
    scheduled = next(event for event in machines.events(execution) if event["type"] == "TaskScheduled")
    assert scheduled["taskScheduledEventDetails"]["taskCredentials"] == {"roleArn": credentials["RoleArn"]}


def test_activity_that_is_gone_fails_its_task(machines: Machines) -> None:
    activity = machines.client.create_activity(name=name_of(machines))["activityArn"]
    arn = machines.make({"T": {"Type": "Task", "Resource": activity, "End": True}})
    machines.client.delete_activity(activityArn=activity)
    execution = machines.start(arn)
    ended = machines.ended(execution)
    assert ended["error"] == "States.Runtime"
    assert ended["cause"].endswith(f"The activity {activity} does not exist.")


def test_any_operation_is_reached_through_the_sdk(machines: Machines, emulator: RunningEmulator) -> None:
    bucket = name_of(machines)
    put = {"Bucket.$": "$.b", "Key": "k", "Body": {"a": 1}}
    states = {
        "C": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:s3:createBucket",
            "Parameters": {"Bucket.$": "$.b"},
            "ResultPath": None,
            "Next": "P",
        },
        "P": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:s3:putObject",
            "Parameters": put,
            "ResultPath": None,
            "Next": "G",
        },
        "G": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:s3:getObject",
            "Parameters": {"Bucket.$": "$.b", "Key": "k"},
            "End": True,
        },
    }
    output = machines.output(states, {"b": bucket})
    assert json.loads(output["Body"]) == {"a": 1}
    assert output["ContentLength"] == 7
    assert output["ETag"].startswith('"')


def test_error_of_the_sdk_has_the_name_of_its_class(machines: Machines) -> None:
    parameters = {"TableName": "nowhere", "Key": {"id": {"S": "x"}}}
    error, cause = machines.failure(task("arn:aws:states:::aws-sdk:dynamodb:getItem", parameters))
    assert error == "DynamoDb.ResourceNotFoundException"
    assert str(cause).startswith("Requested resource not found (Service: DynamoDb, Status Code: 400, Request ID: ")
    error, cause = machines.failure(task("arn:aws:states:::dynamodb:getItem", parameters))
    assert error == "DynamoDB.ResourceNotFoundException"
    assert "(Service: AmazonDynamoDBv2; Status Code: 400; Error Code: ResourceNotFoundException; " in str(cause)
    error, _ = machines.failure(task("arn:aws:states:::aws-sdk:s3:listObjectsV2", {"Bucket": "no-such-bucket-at-all"}))
    assert error == "S3.NoSuchBucketException"


def test_function_is_called_by_its_arn_and_through_the_integration(
    machines: Machines, emulator: RunningEmulator
) -> None:
    code = "def handler(event, context):\n    if event.get('bad'):\n        raise ValueError('no')\n    return {'got': event}\n"
    arn = function(emulator, name_of(machines), code)
    plain = {"F": {"Type": "Task", "Resource": arn, "End": True}}
    execution = machines.start(machines.make(plain), {"a": 1})
    assert json.loads(machines.ended(execution)["output"]) == {"got": {"a": 1}}
    assert machines.types(execution)[2:5] == [
        "LambdaFunctionScheduled",
        "LambdaFunctionStarted",
        "LambdaFunctionSucceeded",
    ]
    error, cause = machines.failure(plain, {"bad": True})
    assert error == "ValueError"
    assert json.loads(str(cause))["errorMessage"] == "no"
    optimized = task("arn:aws:states:::lambda:invoke", {"FunctionName": arn, "Payload.$": "$"})
    output = machines.output(optimized, {"a": 2})
    assert output["Payload"] == {"got": {"a": 2}}
    assert (output["ExecutedVersion"], output["StatusCode"]) == ("$LATEST", 200)
    error, cause = machines.failure(
        task("arn:aws:states:::lambda:invoke", {"FunctionName": arn + "-gone", "Payload": {}})
    )
    assert error == "Lambda.ResourceNotFoundException"


@pytest.mark.parametrize(
    ("payload", "wanted"), [({"a": 1}, {"a": 1}), ('{"a": 1}', {"a": 1}), ("plain", "plain"), (None, {}), (0, 0)]
)
def test_payload_of_a_function_is_json_or_json_text(
    machines: Machines, emulator: RunningEmulator, payload: Any, wanted: Any
) -> None:
    arn = function(emulator, name_of(machines), "def handler(event, context):\n    return event\n")
    states = task("arn:aws:states:::lambda:invoke", {"FunctionName": arn, "Payload": payload})
    assert machines.output(states)["Payload"] == wanted


def test_result_that_is_too_large_fails_the_task(machines: Machines, emulator: RunningEmulator) -> None:
    arn = function(emulator, name_of(machines), "def handler(event, context):\n    return b'x' * 300000\n")
    execution = machines.start(machines.make({"F": {"Type": "Task", "Resource": arn, "End": True}}))
    ended = machines.ended(execution)
    assert ended["error"] == "States.DataLimitExceeded"
    assert ended["cause"] == (
        f"The state/task '{arn}' returned a result with a size exceeding the maximum number of bytes service limit."
    )
    assert machines.types(execution)[-2:] == ["LambdaFunctionFailed", "ExecutionFailed"]


# --- tokens


def waiting(queue: str, **fields: Any) -> dict[str, Any]:
    body = {"token.$": "$$.Task.Token", "input.$": "$"}
    resource = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
    return task(resource, {"QueueUrl": queue, "MessageBody": body}, **fields)


def test_task_waits_for_its_token(machines: Machines, sqs: Any, queue: str) -> None:
    execution = machines.start(machines.make(waiting(queue)), {"a": 1})
    message = json.loads(receive(sqs, queue))
    assert message["input"] == {"a": 1}
    machines.client.send_task_heartbeat(taskToken=message["token"])
    machines.client.send_task_success(taskToken=message["token"], output='{"done": true}')
    assert json.loads(machines.ended(execution)["output"]) == {"done": True}
    assert machines.types(execution)[2:7] == [
        "TaskScheduled",
        "TaskStarted",
        "TaskSubmitted",
        "TaskSucceeded",
        "TaskStateExited",
    ]
    with pytest.raises(ClientError) as raised:
        machines.client.send_task_success(taskToken=message["token"], output="{}")
    assert raised.value.response["Error"]["Code"] == "TaskTimedOut"


def test_failure_of_a_token_is_the_tasks(machines: Machines, sqs: Any, queue: str) -> None:
    execution = machines.start(machines.make(waiting(queue)))
    token = json.loads(receive(sqs, queue))["token"]
    machines.client.send_task_failure(taskToken=token, error="Mine", cause="because")
    ended = machines.ended(execution)
    assert (ended["error"], ended["cause"]) == ("Mine", "because")


def test_token_that_nobody_gave_out_is_refused(machines: Machines) -> None:
    with pytest.raises(ClientError) as raised:
        machines.client.send_task_success(taskToken="made up", output="{}")
    assert raised.value.response["Error"] == {"Code": "InvalidToken", "Message": "Invalid Token: 'Invalid token'"}


def test_output_that_is_no_json_is_refused(machines: Machines, sqs: Any, queue: str) -> None:
    machines.start(machines.make(waiting(queue)))
    token = json.loads(receive(sqs, queue))["token"]
    with pytest.raises(ClientError) as raised:
        machines.client.send_task_success(taskToken=token, output="not json")
    assert raised.value.response["Error"]["Code"] == "InvalidOutput"


# --- activities


def test_worker_takes_the_task_of_an_activity(machines: Machines) -> None:
    client = machines.client
    activity = client.create_activity(name=name_of(machines))["activityArn"]
    execution = machines.start(machines.make({"T": {"Type": "Task", "Resource": activity, "End": True}}), {"a": 1})
    taken = client.get_activity_task(activityArn=activity, workerName="me")
    assert json.loads(taken["input"]) == {"a": 1}
    client.send_task_success(taskToken=taken["taskToken"], output='"done"')
    assert machines.ended(execution)["output"] == '"done"'
    events = {event["type"]: event for event in machines.events(execution)}
    assert events["ActivityScheduled"]["activityScheduledEventDetails"]["resource"] == activity
    assert events["ActivityStarted"]["activityStartedEventDetails"] == {"workerName": "me"}
    assert events["ActivitySucceeded"]["activitySucceededEventDetails"]["output"] == '"done"'


def test_activities_are_made_listed_and_deleted(machines: Machines) -> None:
    client = machines.client
    name = name_of(machines)
    made = client.create_activity(name=name, tags=[{"key": "a", "value": "b"}])
    assert client.create_activity(name=name)["activityArn"] == made["activityArn"]
    assert client.describe_activity(activityArn=made["activityArn"])["name"] == name
    assert client.list_tags_for_resource(resourceArn=made["activityArn"])["tags"] == [{"key": "a", "value": "b"}]
    found = [
        entry["name"] for page in client.get_paginator("list_activities").paginate() for entry in page["activities"]
    ]
    assert name in found
    client.delete_activity(activityArn=made["activityArn"])
    with pytest.raises(ClientError) as raised:
        client.describe_activity(activityArn=made["activityArn"])
    assert raised.value.response["Error"]["Message"] == f"Activity Does Not Exist: '{made['activityArn']}'"


# --- executions inside of executions


def test_execution_waits_for_the_one_that_it_started(machines: Machines) -> None:
    inner = machines.make({"A": {"Type": "Pass", "Result": {"r": 1}, "End": True}})
    parameters = {"StateMachineArn": inner, "Input": {"i.$": "$.x"}}
    output = machines.output(task("arn:aws:states:::states:startExecution.sync:2", parameters), {"x": 2})
    assert (output["Status"], output["Input"], output["Output"]) == ("SUCCEEDED", {"i": 2}, {"r": 1})
    output = machines.output(task("arn:aws:states:::states:startExecution.sync", parameters), {"x": 2})
    assert (output["Input"], output["Output"]) == ('{"i":2}', '{"r":1}')
    output = machines.output(task("arn:aws:states:::states:startExecution", parameters), {"x": 2})
    assert output["ExecutionArn"].startswith(inner.replace(":stateMachine:", ":execution:"))


def test_failure_of_the_inner_execution_is_the_tasks(machines: Machines) -> None:
    inner = machines.make({"F": {"Type": "Fail", "Error": "Inner", "Cause": "c"}})
    error, cause = machines.failure(task("arn:aws:states:::states:startExecution.sync:2", {"StateMachineArn": inner}))
    assert error == "States.TaskFailed"
    told = json.loads(str(cause))
    assert (told["Error"], told["Cause"], told["Status"]) == ("Inner", "c", "FAILED")
