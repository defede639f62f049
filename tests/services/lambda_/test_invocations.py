"""Invoke: answers, errors, logs, limits, environment, warm processes."""

from __future__ import annotations

import io
import json
import zipfile
from base64 import b64decode, b64encode
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.services.lambda_.conftest import Functions, eventually, packed

COUNTING = """
count = 0
def handler(event, context):
    global count
    count += 1
    return count
"""
FAILING = """
def handler(event, context):
    return fail(event["why"])
def fail(why):
    raise ValueError(why)
"""
CONTEXT = """
import os
def handler(event, context):
    return {
        "arn": context.invoked_function_arn,
        "version": context.function_version,
        "left": context.get_remaining_time_in_millis(),
        "memory": context.memory_limit_in_mb,
        "custom": context.client_context.custom if context.client_context else None,
        "variables": dict(os.environ),
    }
"""
SLEEPING = """
import time
def handler(event, context):
    print("before")
    time.sleep(event["seconds"])
"""
LOGGING = """
import logging
print("loaded")
logging.getLogger().setLevel("INFO")
def handler(event, context):
    print("hello")
    logging.getLogger().info("two\\nlines")
"""


def test_a_function_answers_and_says_which_version(functions: Functions) -> None:
    name = functions.make()
    answer = functions.aws.invoke(FunctionName=name, Payload=json.dumps({"ä": [1, None]}))
    assert json.loads(answer["Payload"].read()) == {"ä": [1, None]}
    assert answer["StatusCode"] == 200
    assert answer["ExecutedVersion"] == "$LATEST"


def test_a_warm_process_keeps_its_modules(functions: Functions) -> None:
    name = functions.make(COUNTING)
    assert [functions.call(name) for _ in range(3)] == [1, 2, 3]


def test_new_code_and_new_variables_make_new_processes(functions: Functions) -> None:
    name = functions.make(COUNTING)
    assert [functions.call(name), functions.call(name)] == [1, 2]
    functions.aws.update_function_configuration(FunctionName=name, Environment={"Variables": {"OWN": "1"}})
    assert functions.call(name) == 1
    functions.aws.update_function_code(FunctionName=name, ZipFile=packed("def handler(event, context): return 'new'"))
    assert functions.call(name) == "new"


def test_an_exception_is_the_answer_with_its_stack(functions: Functions) -> None:
    error = functions.fail(functions.make(FAILING), {"why": "no reason"})
    assert list(error) == ["errorMessage", "errorType", "requestId", "stackTrace"]
    assert (error["errorMessage"], error["errorType"]) == ("no reason", "ValueError")
    assert [line.split("\n")[0] for line in error["stackTrace"]] == [
        '  File "/var/task/app.py", line 3, in handler',
        '  File "/var/task/app.py", line 5, in fail',
    ]


@pytest.mark.parametrize(
    ("source", "handler", "kind"),
    [
        ("import not_there", "app.handler", "Runtime.ImportModuleError"),
        ("def handler(", "app.handler", "Runtime.UserCodeSyntaxError"),
        ("", "app.handler", "Runtime.HandlerNotFound"),
        ("", "other.handler", "Runtime.ImportModuleError"),
        ("def handler(event, context): return object()", "app.handler", "Runtime.MarshalError"),
        ("raise KeyError('x')", "app.handler", "KeyError"),
        ("import sys\ndef handler(event, context): sys.exit(3)", "app.handler", "Runtime.ExitError"),
        ("import os; os._exit(0)", "app.handler", "Runtime.ExitError"),
    ],
)
def test_what_keeps_a_function_from_answering_has_awss_name(
    functions: Functions, source: str, handler: str, kind: str
) -> None:
    assert functions.fail(functions.make(source, Handler=handler))["errorType"] == kind


def test_a_function_that_takes_too_long_is_ended(functions: Functions) -> None:
    name = functions.make(SLEEPING, Timeout=1)
    answer = functions.aws.invoke(FunctionName=name, Payload='{"seconds": 60}', LogType="Tail")
    assert json.loads(answer["Payload"].read())["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")
    log = b64decode(answer["LogResult"]).decode()
    assert "before\n" in log
    assert "Status: timeout" in log
    assert functions.call(name, {"seconds": 0}) is None


def test_the_tail_of_the_log_comes_with_the_answer(functions: Functions) -> None:
    answer = functions.aws.invoke(FunctionName=functions.make(LOGGING), LogType="Tail")
    lines = b64decode(answer["LogResult"]).decode().splitlines()
    assert lines[0] == "loaded"
    assert lines[1].startswith("START RequestId: ")
    assert lines[2] == "hello"
    assert lines[3].startswith("[INFO]\t")
    assert lines[3].endswith("\ttwo")
    assert lines[-2].startswith("REPORT RequestId: ") or lines[-1].startswith("REPORT RequestId: ")


def test_the_log_is_in_the_functions_group(functions: Functions, client: Any) -> None:
    name = functions.make(LOGGING)
    functions.call(name)
    logs = client("logs")

    def events() -> Any:
        try:
            return logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
        except logs.exceptions.ResourceNotFoundException:
            return None

    messages = [event["message"] for event in eventually(events)]
    assert messages[0] == "loaded\n"
    assert messages[3].endswith("\ttwo\nlines\n")
    assert messages[4].startswith("END RequestId: ")


def test_json_logs(functions: Functions) -> None:
    name = functions.make(LOGGING, LoggingConfig={"LogFormat": "JSON"})
    log = b64decode(functions.aws.invoke(FunctionName=name, LogType="Tail")["LogResult"]).decode().splitlines()
    assert json.loads(log[1])["type"] == "platform.start"
    assert json.loads(log[3])["message"] == "two\nlines"
    assert json.loads(log[-1])["record"]["status"] == "success"


def test_what_a_function_is_told_of_itself(functions: Functions) -> None:
    name = functions.make(CONTEXT, Timeout=9, MemorySize=256, Environment={"Variables": {"OWN": "1"}})
    custom = b64encode(json.dumps({"custom": {"a": 1}}).encode()).decode()
    told = functions.call(name, ClientContext=custom)
    assert told["arn"] == f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    assert told["memory"] == "256"
    assert told["custom"] == {"a": 1}
    assert 0 < told["left"] <= 9000
    variables = told["variables"]
    assert variables["OWN"] == "1"
    assert variables["AWS_LAMBDA_FUNCTION_NAME"] == name
    assert variables["AWS_ENDPOINT_URL"] == functions.emulator.url
    assert "LOCALSTACK_VOLUME_DIR" not in variables


def test_boto3_inside_a_function_reaches_the_emulator(functions: Functions) -> None:
    source = "import boto3\ndef handler(e, c): return boto3.client('sts').get_caller_identity()['Account']"
    assert functions.call(functions.make(source)) == "000000000000"


def test_code_of_layers_can_be_imported(functions: Functions) -> None:
    arns = []
    for path, value in (("python/first.py", 1), ("python/lib/python3.12/site-packages/second.py", 2)):
        content = {"ZipFile": packed(f"value = {value}", path)}
        made = functions.aws.publish_layer_version(LayerName=functions.unique("layer"), Content=content)
        arns.append(made["LayerVersionArn"])
    source = "import first, second\ndef handler(event, context): return [first.value, second.value]"
    assert functions.call(functions.make(source, Layers=arns)) == [1, 2]


def test_a_wrapper_starts_the_runtime(functions: Functions) -> None:
    wrapper = '#!/bin/sh\nexport WRAPPED=1\nexec "$@"\n'
    content = {"ZipFile": executable("wrapper", wrapper)}
    layer = functions.aws.publish_layer_version(LayerName=functions.unique("layer"), Content=content)
    source = "import os\ndef handler(event, context): return os.environ['WRAPPED']"
    variables = {"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrapper"}}
    name = functions.make(source, Layers=[layer["LayerVersionArn"]], Environment=variables)
    assert functions.call(name) == "1"


def executable(name: str, text: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        entry = zipfile.ZipInfo(name)
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, text)
    return content.getvalue()


NODE = """
let count = 0;
exports.handler = async (event, context) => {
  console.log("one\\ntwo");
  if (event.fail) throw new TypeError("bad");
  return { count: ++count, name: context.functionName };
};
"""


def test_a_node_function_answers_and_stays_warm(functions: Functions) -> None:
    name = functions.node(NODE)
    assert functions.call(name) == {"count": 1, "name": name}
    assert functions.call(name) == {"count": 2, "name": name}
    error = functions.fail(name, {"fail": True})
    assert (error["errorType"], error["errorMessage"]) == ("TypeError", "bad")
    assert error["trace"][0] == "TypeError: bad"
    assert "/var/task/index.js" in error["trace"][1]


def test_a_node_function_may_use_a_callback(functions: Functions) -> None:
    name = functions.node("exports.handler = (event, context, done) => setTimeout(() => done(null, event.a), 1);")
    assert functions.call(name, {"a": 7}) == 7


def test_a_node_function_may_be_a_module(functions: Functions) -> None:
    code = {"ZipFile": packed("export const handler = async (event) => event.a + 1;", "index.mjs")}
    assert functions.call(functions.make(Runtime="nodejs22.x", Handler="index.handler", Code=code), {"a": 1}) == 2


def test_what_keeps_a_node_function_from_answering(functions: Functions) -> None:
    assert functions.fail(functions.node("exports.other = 1;"))["errorType"] == "Runtime.HandlerNotFound"
    assert functions.fail(functions.node("require('not-there');"))["errorType"] == "Runtime.ImportModuleError"
    assert functions.fail(functions.node("exports.handler = ("))["errorType"] == "Runtime.UserCodeSyntaxError"


def test_an_answer_in_pieces(functions: Functions) -> None:
    source = (
        "exports.handler = awslambda.streamifyResponse(async (e, s) => { s.write('ab'); s.write('cd'); s.end(); });"
    )
    answer = functions.aws.invoke_with_response_stream(FunctionName=functions.node(source))
    events = list(answer["EventStream"])
    assert b"".join(event["PayloadChunk"]["Payload"] for event in events if "PayloadChunk" in event) == b"abcd"
    assert events[-1] == {"InvokeComplete": {}}


def test_a_dry_run_runs_nothing(functions: Functions) -> None:
    name = functions.make(COUNTING)
    assert functions.aws.invoke(FunctionName=name, InvocationType="DryRun")["StatusCode"] == 204
    assert functions.call(name) == 1


def test_a_runtime_that_cannot_be_run_says_so(functions: Functions) -> None:
    name = functions.make(Runtime="java21")
    with pytest.raises(ClientError, match="functions of java21 cannot be run here") as caught:
        functions.aws.invoke(FunctionName=name)
    assert caught.value.response["Error"]["Code"] == "InvalidRuntimeException"


def test_an_event_must_be_json_and_not_too_large(functions: Functions) -> None:
    name = functions.make()
    with pytest.raises(ClientError, match="InvalidRequestContentException"):
        functions.aws.invoke(FunctionName=name, Payload=b"{")
    with pytest.raises(ClientError, match="RequestEntityTooLargeException"):
        functions.aws.invoke(FunctionName=name, Payload=b'"' + b"a" * 6_291_456 + b'"')


def test_an_answer_may_not_be_too_large(functions: Functions) -> None:
    name = functions.make("def handler(event, context): return 'a' * 7_000_000")
    assert functions.fail(name)["errorType"] == "Function.ResponseSizeTooLarge"


def test_large_events_and_answers_come_whole(functions: Functions) -> None:
    event = {"text": "ab" * 2_000_000}
    assert functions.call(functions.make(), event) == event


def test_a_function_that_is_not_there(functions: Functions) -> None:
    with pytest.raises(
        ClientError, match=r"Function not found: arn:aws:lambda:us-east-1:000000000000:function:none"
    ) as e:
        functions.aws.invoke(FunctionName="none")
    assert e.value.response["Error"]["Code"] == "ResourceNotFoundException"
    assert dict(e.value.response)["Type"] == "User"


def test_reserved_concurrency_limits(functions: Functions) -> None:
    name = functions.make()
    functions.aws.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError) as caught:
        functions.aws.invoke(FunctionName=name)
    assert caught.value.response["Error"]["Code"] == "TooManyRequestsException"
    assert dict(caught.value.response)["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    functions.aws.delete_function_concurrency(FunctionName=name)
    assert functions.call(name, {"a": 1}) == {"a": 1}
