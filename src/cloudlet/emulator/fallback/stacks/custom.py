"""Custom resources: `AWS::CloudFormation::CustomResource` and `Custom::…`, carried out by a function or a topic's subscriber.

Source: CloudFormation User Guide, "Custom resource request objects", "Custom resource response objects".
"""

from __future__ import annotations

import json
from typing import Any

from cloudlet.emulator.fallback.stacks.errors import Failed
from cloudlet.emulator.fallback.stacks.kinds import Kind, Made, Wanted
from cloudlet.emulator.fallback.stacks.records import StackResource
from cloudlet.emulator.kernel.errors import AwsError

LONGEST_SECONDS = 3600.0
AFTER_A_FAILED_FUNCTION_SECONDS = 0.0


class CustomResource(Kind):
    """`Ref` is the physical id of the response, `Fn::GetAtt` a member of its `Data`."""

    is_stand_in = False
    replaced_by = frozenset({"ServiceToken"})

    def create(self, wanted: Wanted) -> Made:
        answer = self._ask(wanted, "Create")
        return Made(str(answer.get("PhysicalResourceId") or wanted.name("")), answer.get("Data") or {})

    def update(self, wanted: Wanted, resource: StackResource) -> Made:
        more = {"PhysicalResourceId": resource.physical_id, "OldResourceProperties": texts(resource.properties)}
        answer = self._ask(wanted, "Update", **more)
        return Made(str(answer.get("PhysicalResourceId") or resource.physical_id), answer.get("Data") or {})

    def delete(self, wanted: Wanted, resource: StackResource) -> None:
        if resource.physical_id and resource.handle is not None:
            self._ask(wanted, "Delete", PhysicalResourceId=resource.physical_id)

    def attribute(self, wanted: Wanted, resource: StackResource, name: str) -> Any:
        data = resource.handle or {}
        if name in data:
            return data[name]
        value: Any = data
        for part in name.split("."):
            value = value[part]
        return value

    def _ask(self, wanted: Wanted, kind: str, **more: Any) -> dict[str, Any]:
        """The response. Raises Failed."""
        machine = wanted.machine
        address = machine.waits.open(inside=":lambda:" in str(wanted.properties.get("ServiceToken")))
        request = machine.ids.uuid()
        event = {
            "RequestType": kind,
            "ServiceToken": wanted.properties.get("ServiceToken"),
            "ResponseURL": address,
            "StackId": wanted.stack.id,
            "RequestId": request,
            "LogicalResourceId": wanted.logical_id,
            "ResourceType": wanted.type,
            "ResourceProperties": texts(wanted.properties),
            **more,
        }
        seconds = min(float(wanted.properties.get("ServiceTimeout") or LONGEST_SECONDS), LONGEST_SECONDS)
        problem = self._send(wanted, event)
        answer = machine.waits.answer(address, AFTER_A_FAILED_FUNCTION_SECONDS if problem else seconds)
        if answer is None:
            raise Failed(
                f"Received response status [FAILED] from custom resource. Message returned: {problem} (RequestId: {request})"
                if problem
                else "CloudFormation did not receive a response from your Custom Resource. Please check your logs for "
                f"requestId [{request}]. If you are using the Python cfn-response module, you may need to update your "
                "Lambda function code so that CloudFormation can attach the updated version."
            )
        if answer.get("Status") != "SUCCESS":
            said = answer.get("Reason") or "See the details in CloudWatch Log Stream"
            raise Failed(
                f"Received response status [FAILED] from custom resource. Message returned: {said} (RequestId: {request})"
            )
        return answer

    def _send(self, wanted: Wanted, event: dict[str, Any]) -> str | None:
        """What went wrong in a function that ended with an error. Raises Failed where nobody can be told."""
        token = str(wanted.properties.get("ServiceToken") or "")
        if not token.startswith("arn:"):
            raise Failed("Invalid ServiceToken: it must be the ARN of a Lambda function or of an SNS topic")
        body = json.dumps(event)
        try:
            if ":sns:" in token:
                wanted.reach("sns", "Publish", {"TopicArn": token, "Message": body})
                return None
            result = wanted.reach(
                "lambda",
                "Invoke",
                {"FunctionName": token, "InvocationType": "RequestResponse", "Payload": body.encode()},
            )
        except AwsError as error:
            raise Failed(f"Unable to invoke the custom resource's function: {error.message}") from error
        if result.get("FunctionError"):
            return f"the function failed: {payload_text(result.get('Payload'))[:800]}"
        return None


def payload_text(payload: Any) -> str:
    content = payload.read() if hasattr(payload, "read") else payload
    return content.decode(errors="replace") if isinstance(content, bytes) else str(content or "")


def texts(value: Any) -> Any:
    """Numbers and booleans as text: this is how CloudFormation sends them to custom resources."""
    if isinstance(value, dict):
        return {name: texts(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [texts(inner) for inner in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value
