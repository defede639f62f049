"""Data protection policies of topics: kept, and not applied."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.sns.api import (
    GetDataProtectionPolicyInput,
    GetDataProtectionPolicyResponse,
    PutDataProtectionPolicyInput,
)
from cloudlet.emulator.services.sns.lookup import topic_of
from cloudlet.emulator.services.sns.records import TOPICS
from cloudlet.emulator.services.sns.topic_attributes import check_json


@read_write
def put_data_protection_policy(call: Call, request: PutDataProtectionPolicyInput) -> dict[str, Any]:
    """An empty policy removes it. Raises InvalidParameter, NotFound."""
    topic = topic_of(call, request["ResourceArn"], "ResourceArn")
    policy = request["DataProtectionPolicy"]
    if policy:
        check_json("DataProtectionPolicy", policy, "")
    TOPICS.put(call.tx, replace(topic, data_protection_policy=policy))
    return {}


@read_only
def get_data_protection_policy(call: Call, request: GetDataProtectionPolicyInput) -> GetDataProtectionPolicyResponse:
    """Raises NotFound."""
    policy = topic_of(call, request["ResourceArn"], "ResourceArn").data_protection_policy
    return {"DataProtectionPolicy": policy} if policy else {}
