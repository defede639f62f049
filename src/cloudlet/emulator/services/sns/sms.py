"""Text messages: account settings, numbers that opted out, the sandbox. State only: nothing is sent."""

from __future__ import annotations

import re
from typing import Any

from msgspec.structs import replace

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services.sns.api import (
    CheckIfPhoneNumberIsOptedOutInput,
    CheckIfPhoneNumberIsOptedOutResponse,
    CreateSMSSandboxPhoneNumberInput,
    DeleteSMSSandboxPhoneNumberInput,
    GetSMSAttributesInput,
    GetSMSAttributesResponse,
    GetSMSSandboxAccountStatusInput,
    GetSMSSandboxAccountStatusResult,
    ListOriginationNumbersRequest,
    ListOriginationNumbersResult,
    ListPhoneNumbersOptedOutInput,
    ListPhoneNumbersOptedOutResponse,
    ListSMSSandboxPhoneNumbersInput,
    ListSMSSandboxPhoneNumbersResult,
    OptInPhoneNumberInput,
    ResourceNotFoundException,
    SetSMSAttributesInput,
    VerifySMSSandboxPhoneNumberInput,
)
from cloudlet.emulator.services.sns.errors import invalid
from cloudlet.emulator.services.sns.lookup import decode_token, page
from cloudlet.emulator.services.sns.records import SANDBOX_NUMBERS, SMS_ACCOUNTS, SandboxNumber, SmsAccount

NUMBER = re.compile(r"\+[1-9]\d{1,14}\Z")
ATTRIBUTES = frozenset(
    {
        "DefaultSMSType",
        "DefaultSenderID",
        "DeliveryStatusIAMRole",
        "DeliveryStatusSuccessSamplingRate",
        "MonthlySpendLimit",
        "UsageReportS3Bucket",
    }
)


def account(call: Call) -> SmsAccount:
    found = SMS_ACCOUNTS.get(call.tx, call.account_id, call.region)
    return found or SmsAccount(call.account_id, call.region, {"MonthlySpendLimit": "1"}, [])


def check_number(number: str) -> None:
    if NUMBER.match(number) is None:
        raise invalid(f"PhoneNumber Reason: {number} does not meet the E164 format")


@read_write
def set_sms_attributes(call: Call, request: SetSMSAttributesInput) -> dict[str, Any]:
    """Raises InvalidParameter."""
    for name, value in request["attributes"].items():
        if name not in ATTRIBUTES:
            raise invalid(f"{name} is not a valid attribute")
        if name == "DefaultSMSType" and value not in ("Promotional", "Transactional"):
            raise invalid("DefaultSMSType is invalid")
    before = account(call)
    SMS_ACCOUNTS.put(call.tx, replace(before, attributes={**before.attributes, **request["attributes"]}))
    return {}


@read_only
def get_sms_attributes(call: Call, request: GetSMSAttributesInput) -> GetSMSAttributesResponse:
    wanted = request.get("attributes")
    found = account(call).attributes
    return {"attributes": {name: value for name, value in found.items() if not wanted or name in wanted}}


@read_only
def check_if_phone_number_is_opted_out(
    call: Call, request: CheckIfPhoneNumberIsOptedOutInput
) -> CheckIfPhoneNumberIsOptedOutResponse:
    check_number(request["phoneNumber"])
    return {"isOptedOut": request["phoneNumber"] in account(call).opted_out}


@read_only
def list_phone_numbers_opted_out(
    call: Call, request: ListPhoneNumbersOptedOutInput
) -> ListPhoneNumbersOptedOutResponse:
    return {"phoneNumbers": list(account(call).opted_out)}


@read_write
def opt_in_phone_number(call: Call, request: OptInPhoneNumberInput) -> dict[str, Any]:
    """Raises InvalidParameter."""
    if NUMBER.match(request["phoneNumber"]) is None:
        raise invalid("PhoneNumber Reason: input incorrectly formatted")
    before = account(call)
    kept = [number for number in before.opted_out if number != request["phoneNumber"]]
    SMS_ACCOUNTS.put(call.tx, replace(before, opted_out=kept))
    return {}


@read_only
def get_sms_sandbox_account_status(
    call: Call, request: GetSMSSandboxAccountStatusInput
) -> GetSMSSandboxAccountStatusResult:
    return {"IsInSandbox": True}


@read_only
def list_origination_numbers(call: Call, request: ListOriginationNumbersRequest) -> ListOriginationNumbersResult:
    return {"PhoneNumbers": []}


@read_write
def create_sms_sandbox_phone_number(call: Call, request: CreateSMSSandboxPhoneNumberInput) -> dict[str, Any]:
    """Raises InvalidParameter."""
    number = request["PhoneNumber"]
    check_number(number)
    if SANDBOX_NUMBERS.get(call.tx, call.account_id, call.region, number) is None:
        SANDBOX_NUMBERS.put(call.tx, SandboxNumber(call.account_id, call.region, number, False))
    return {}


@read_write
def verify_sms_sandbox_phone_number(call: Call, request: VerifySMSSandboxPhoneNumberInput) -> dict[str, Any]:
    """Any one-time password is right: none was sent. Raises ResourceNotFound."""
    found = SANDBOX_NUMBERS.get(call.tx, call.account_id, call.region, request["PhoneNumber"])
    if found is None:
        raise ResourceNotFoundException("Resource not found.")
    SANDBOX_NUMBERS.put(call.tx, replace(found, verified=True))
    return {}


@read_write
def delete_sms_sandbox_phone_number(call: Call, request: DeleteSMSSandboxPhoneNumberInput) -> dict[str, Any]:
    """Raises ResourceNotFound."""
    if not SANDBOX_NUMBERS.delete(call.tx, call.account_id, call.region, request["PhoneNumber"]):
        raise ResourceNotFoundException("Resource not found.")
    return {}


@read_only
def list_sms_sandbox_phone_numbers(
    call: Call, request: ListSMSSandboxPhoneNumbersInput
) -> ListSMSSandboxPhoneNumbersResult:
    token = request.get("NextToken")
    after = (decode_token(token),) if token else None
    records = SANDBOX_NUMBERS.scan(call.tx, call.account_id, call.region, after=after)
    found, rest = page(records, lambda record: record.number, request.get("MaxResults", 100))
    listed = [{"PhoneNumber": r.number, "Status": "Verified" if r.verified else "Pending"} for r in found]
    return {"PhoneNumbers": listed, **rest}  # type: ignore[typeddict-item]
