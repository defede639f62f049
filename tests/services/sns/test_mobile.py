"""Platform applications, their endpoints, and text messages: state, and what was sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.request import urlopen

import pytest

from tests.conftest import RunningEmulator


def test_messages_to_an_endpoint_are_kept(emulator: RunningEmulator, sns: Any, unique: Callable[..., str]) -> None:
    application = sns.create_platform_application(
        Name=unique("app"), Platform="GCM", Attributes={"PlatformCredential": "secret"}
    )["PlatformApplicationArn"]
    assert sns.get_platform_application_attributes(PlatformApplicationArn=application)["Attributes"] == {
        "Enabled": "true"
    }
    endpoint = sns.create_platform_endpoint(PlatformApplicationArn=application, Token="t")["EndpointArn"]
    assert sns.create_platform_endpoint(PlatformApplicationArn=application, Token="t")["EndpointArn"] == endpoint
    sns.publish(TargetArn=endpoint, Message="m")
    with urlopen(f"{emulator.url}/_aws/sns/platform-endpoint-messages?endpointArn={endpoint}", timeout=10) as answer:
        (sent,) = json.load(answer)["platform_endpoint_messages"][endpoint]
    assert sent["Message"] == "m"
    sns.set_endpoint_attributes(EndpointArn=endpoint, Attributes={"Enabled": "false"})
    with pytest.raises(sns.exceptions.EndpointDisabledException):
        sns.publish(TargetArn=endpoint, Message="m")
    sns.delete_platform_application(PlatformApplicationArn=application)
    with pytest.raises(sns.exceptions.NotFoundException):
        sns.get_endpoint_attributes(EndpointArn=endpoint)


def test_text_messages_are_kept(emulator: RunningEmulator, sns: Any) -> None:
    sns.publish(PhoneNumber="+15550001111", Message="m")
    with urlopen(f"{emulator.url}/_aws/sns/sms-messages?phoneNumber=%2B15550001111", timeout=10) as answer:
        assert [sent["Message"] for sent in json.load(answer)["sms_messages"]["+15550001111"]] == ["m"]


def test_sms_settings(sns: Any) -> None:
    sns.set_sms_attributes(attributes={"DefaultSMSType": "Transactional"})
    assert sns.get_sms_attributes(attributes=["DefaultSMSType"])["attributes"] == {"DefaultSMSType": "Transactional"}
    assert sns.check_if_phone_number_is_opted_out(phoneNumber="+15550001111")["isOptedOut"] is False
    sns.create_sms_sandbox_phone_number(PhoneNumber="+15550002222")
    sns.verify_sms_sandbox_phone_number(PhoneNumber="+15550002222", OneTimePassword="12345")
    assert sns.list_sms_sandbox_phone_numbers()["PhoneNumbers"] == [
        {"PhoneNumber": "+15550002222", "Status": "Verified"}
    ]
