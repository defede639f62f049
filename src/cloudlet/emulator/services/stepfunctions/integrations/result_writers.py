"""`ResultWriter` of a distributed Map: results as objects of a bucket, with a manifest.

Source: Step Functions Developer Guide, "ResultWriter (Map)".
"""

from __future__ import annotations

from typing import Any

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.protocol.message import InlineBody
from cloudlet.emulator.services.stepfunctions.asl.failures import RESULT_WRITER
from cloudlet.emulator.services.stepfunctions.asl.json_text import dumps, size
from cloudlet.emulator.services.stepfunctions.asl.timestamps import written
from cloudlet.emulator.services.stepfunctions.engine.frames import decode
from cloudlet.emulator.services.stepfunctions.records import EXECUTIONS, FRAMES, ITEMS, Execution
from cloudlet.emulator.store.kv import Transaction


def results_of(tx: Transaction, payload: dict[str, Any]) -> dict[str, Any]:
    """The children that have ended, by whether they succeeded; and the Map run's ARN."""
    record = FRAMES.get(tx, payload["arn"], payload["frame"])
    group = None if record is None else decode(record.content).group
    found: dict[str, Any] = {"run": "" if group is None else group.map_run_arn, "SUCCEEDED": [], "FAILED": []}
    for item in ITEMS.scan(tx, payload["arn"], payload["frame"]):
        child = EXECUTIONS.get(tx, item.child or "")
        if child is not None:
            found["SUCCEEDED" if child.status == "SUCCEEDED" else "FAILED"].append(described(child))
    return found


def described(child: Execution) -> dict[str, Any]:
    told: dict[str, Any] = {
        "ExecutionArn": child.arn,
        "Input": child.input,
        "InputDetails": {"Included": True},
        "Name": child.name,
        "RedriveCount": child.redrive_count,
        "StartDate": written(child.started_at),
        "StateMachineArn": child.machine_arn,
        "Status": child.status,
        "StopDate": written(child.stopped_at or 0),
    }
    if child.output is not None:
        told |= {"Output": child.output, "OutputDetails": {"Included": True}}
    if child.error is not None:
        told["Error"] = child.error
    if child.cause is not None:
        told["Cause"] = child.cause
    return told


async def write(call: Call, arguments: dict[str, Any], results: dict[str, Any]) -> dict[str, Any]:
    """`{"result": …}` that names the manifest, or an error."""
    bucket, prefix = str(arguments.get("Bucket", "")), str(arguments.get("Prefix", "")).strip("/")
    folder = f"{prefix}/" if prefix else ""
    folder += results["run"].rpartition(":")[2]
    files: dict[str, list[dict[str, Any]]] = {"FAILED": [], "PENDING": [], "SUCCEEDED": []}
    try:
        for status in ("SUCCEEDED", "FAILED"):
            if results[status]:
                text = dumps(results[status])
                key = f"{folder}/{status}_0.json"
                await call.reach("s3", "PutObject", object_of(bucket, key, text))
                files[status].append({"Key": key, "Size": size(text)})
        manifest = {"DestinationBucket": bucket, "MapRunArn": results["run"], "ResultFiles": files}
        key = f"{folder}/manifest.json"
        await call.reach("s3", "PutObject", object_of(bucket, key, dumps(manifest)))
    except AwsError as error:
        return {"error": RESULT_WRITER, "cause": f"{error.message} (Error Code: {error.code})"}
    details = {"Bucket": bucket, "Key": key}
    return {"result": {"MapRunArn": results["run"], "ResultWriterDetails": details}}


def object_of(bucket: str, key: str, text: str) -> dict[str, Any]:
    return {"Bucket": bucket, "Key": key, "Body": InlineBody(text.encode()), "ContentType": "application/json"}
