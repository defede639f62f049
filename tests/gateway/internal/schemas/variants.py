"""The requests that are made to each internal endpoint, with the answers' statuses.

`{queue}` and the like in texts are replaced by what `prepared` made. Endpoints that are not here get requests that are
generated from the document.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from tests.gateway.internal.schemas.documents import Operation

JSON = {"Accept": "application/json"}
ZIP = {"Content-Type": "application/octet-stream"}
RULE = {"service": "kinesis", "region": "us-east-1", "operation": "PutRecord", "probability": 0.5, "error": {"statusCode": 400, "code": "Oh"}}  # fmt: skip
PERMISSION = {"action": "s3:GetObject", "resource": "*"}


class Ask(NamedTuple):
    """`status` is what comes; `own`: LocalStack's document does not know this case."""

    status: int = 200
    path: tuple[str, ...] = ()
    query: dict[str, str] | None = None
    body: Any = None
    headers: dict[str, str] | None = None
    content: str = ""  # the name of prepared bytes
    own: bool = False


VARIANTS: Mapping[Operation, tuple[Ask, ...]] = MappingProxyType(
    {
        ("GET", "/_localstack/health"): (Ask(), Ask(query={"reload": ""})),
        ("HEAD", "/_localstack/health"): (Ask(),),
        ("POST", "/_localstack/health"): (Ask(400, body={"action": "dance"}, own=True),),  # the others end it
        ("PUT", "/_localstack/health"): (Ask(body={"features:mine": "on"}), Ask(400, body=[], own=True)),
        ("GET", "/_localstack/init/{}"): (Ask(path=("ready",)), Ask(path=("BOOT",)), Ask(404, ("lunch",))),
        ("POST", "/_localstack/config"): (
            Ask(body={"variable": "DEBUG", "value": 1}),
            Ask(body={"variable": "MINE", "value": "x"}),
            Ask(400, body={"variable": "no name", "value": 1}),
            Ask(400, body={}),
        ),
        ("POST", "/_localstack/state/load"): (Ask(), Ask(body={"start": False})),
        ("POST", "/_localstack/state/{}/reset"): (Ask(path=("transcribe",)), Ask(404, ("nothing",))),
        ("POST", "/_localstack/state/{}/save"): (Ask(500, ("iam",)), Ask(404, ("nothing",))),
        ("POST", "/_localstack/state/{}/load"): (Ask(500, ("sqs",)), Ask(404, ("nothing",))),
        ("GET", "/_localstack/chaos/faults"): (Ask(),),
        ("POST", "/_localstack/chaos/faults"): (Ask(body=[RULE]), Ask(body=[]), Ask(400, body=[{"x": 1}], own=True)),
        ("PATCH", "/_localstack/chaos/faults"): (Ask(body=[RULE]), Ask(400, body={}, own=True)),
        ("DELETE", "/_localstack/chaos/faults"): (Ask(body=[RULE]), Ask(400, body="x", own=True)),
        ("POST", "/_localstack/chaos/effects"): (Ask(body={"latency": 0}), Ask(400, body={"latency": -1}, own=True)),
        ("GET", "/_localstack/pods"): (Ask(), Ask(body={}), Ask(400, body={"remote": "nowhere"}, own=True)),
        ("POST", "/_localstack/pods"): (
            Ask(201, content="pod", headers=ZIP, query={"merge": "service-merge"}, own=True),
            Ask(422, content="garbage", headers=ZIP),
            Ask(400, content="garbage", headers=ZIP, query={"merge": "x"}, own=True),
        ),
        ("GET", "/_localstack/pods/state"): (Ask(), Ask(query={"services": "sqs", "pod_name": "mine"})),
        ("POST", "/_localstack/pods/{}"): (
            Ask(path=("mine",)),
            Ask(path=("mine",), body={"attributes": {"services": ["sqs"]}}, query={"version": "7"}),
            Ask(400, ("mine",), query={"version": "x"}, own=True),
        ),
        ("PUT", "/_localstack/pods/{}"): (
            Ask(path=("kept",), query={"merge": "service-merge"}),
            Ask(path=("kept",), query={"version": "9"}),
            Ask(path=("nothing",), body={}),
            Ask(400, ("kept",), query={"merge": "x"}, own=True),
        ),
        ("DELETE", "/_localstack/pods/{}"): (Ask(path=("gone",)), Ask(400, ("nothing",), own=True)),
        ("GET", "/_localstack/pods/{}/versions"): (Ask(path=("kept",)), Ask(404, ("nothing",), own=True)),
        ("GET", "/_localstack/pods/{}/diff"): (Ask(path=("kept",)), Ask(404, ("nothing",), own=True)),
        ("GET", "/_localstack/pods/remotes/{}"): (Ask(path=("team",)), Ask(404, ("nothing",), own=True)),
        ("POST", "/_localstack/pods/remotes/{}"): (
            Ask(path=("far",), body={"name": "far", "protocols": ["s3"], "remote_url": "s3://x"}),
        ),
        ("DELETE", "/_localstack/pods/remotes/{}"): (Ask(path=("gone",)), Ask(404, ("nothing",), own=True)),
        ("GET", "/_aws/sqs/messages"): (
            Ask(query={"QueueUrl": "{queue}"}, headers=JSON),
            Ask(query={"QueueUrl": "{queue}", "ShowInvisible": "true"}),
            Ask(400, own=True),
            Ask(400, query={"QueueUrl": "{queue}x"}),
        ),
        ("POST", "/_aws/sqs/messages"): (Ask(query={"QueueUrl": "{queue}"}), Ask(400, own=True)),
        ("GET", "/_aws/sqs/messages/{}/{}/{}"): (
            Ask(path=("us-east-1", "000000000000", "kept"), headers=JSON),
            Ask(path=("us-east-1", "000000000000", "kept")),
            Ask(400, ("us-east-1", "000000000000", "nothing")),
        ),
        ("GET", "/_aws/sns/platform-endpoint-messages"): (Ask(), Ask(query={"endpointArn": "{endpoint}"})),
        ("DELETE", "/_aws/sns/platform-endpoint-messages"): (Ask(204, query={"endpointArn": "arn:x"}),),
        ("GET", "/_aws/sns/sms-messages"): (Ask(), Ask(query={"phoneNumber": "+4912345678"})),
        ("DELETE", "/_aws/sns/sms-messages"): (Ask(204, query={"phoneNumber": "+1"}),),
        ("GET", "/_aws/sns/subscription-tokens/{}"): (
            Ask(path=("{subscription}",)),
            Ask(404, ("{subscription}x",)),
            Ask(400, ("no-arn",)),
        ),
        ("GET", "/_aws/sns/{}"): (Ask(404, ("other.pem",)),),
        ("GET", "/_aws/ses"): (Ask(), Ask(query={"email": "me@example.com"}), Ask(query={"id": "x"})),
        ("DELETE", "/_aws/ses"): (Ask(204, query={"id": "x"}),),
        ("GET", "/_aws/events/rules/{}/trigger"): (
            Ask(404, ("arn:aws:events:us-east-1:000000000000:rule/nothing",)),
            Ask(400, ("nothing",), own=True),
        ),
        ("POST", "/_aws/iam/config"): (
            Ask(body={"state": "DISABLED"}, own=True),
            Ask(400, body={"state": "ENFORCED"}, own=True),
        ),
        ("POST", "/_aws/iam/check-actions-allowed"): (
            Ask(body={"access_key_id": "{key}", "region_name": "us-east-1", "required_permission": [PERMISSION]}),
            Ask(body={"access_key_id": "test", "region_name": "us-east-1", "required_permission": []}),
            Ask(400, body={}, own=True),
        ),
        ("POST", "/_cloudlet/clock/advance"): (Ask(body={"seconds": 1}), Ask(400, body={"seconds": -1})),
        ("POST", "/_cloudlet/clock/freeze"): (Ask(), Ask(body={"epoch": 1_800_000_000}), Ask(400, body={"epoch": "x"})),
        ("POST", "/_cloudlet/clock/set"): (Ask(body={"epoch": 1_800_000_000}), Ask(400, body={})),
        ("GET", "/_cloudlet/snapshots"): (Ask(),),
        ("PUT", "/_cloudlet/snapshots/{}"): (Ask(201, ("mine",)), Ask(400, ("-x",))),
        ("POST", "/_cloudlet/snapshots/{}/restore"): (Ask(path=("kept",)), Ask(404, ("nothing",)), Ask(400, ("-x",))),
        ("DELETE", "/_cloudlet/snapshots/{}"): (Ask(204, ("gone",)), Ask(404, ("nothing",)), Ask(400, ("-x",))),
    }
)
