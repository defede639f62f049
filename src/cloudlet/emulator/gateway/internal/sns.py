"""`/_aws/sns/*`: the certificates that SNS signs with, and what it sent where nothing can be delivered.

`account`s and regions are the query parameters `accountId` and `region`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloudlet.emulator.gateway.internal.answers import json_answer, text_answer
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from cloudlet.emulator.app import Emulator

DEFAULT_ACCOUNT = "000000000000"
DEFAULT_REGION = "us-east-1"
PREFIX = "SimpleNotificationService-"


def get_certificate(emulator: Emulator, request: HttpRequest, file: str) -> HttpResponse:
    """`SimpleNotificationService-<id>.pem`: what `SigningCertURL` names."""
    if not file.startswith(PREFIX) or not file.endswith(".pem"):
        return HttpResponse(404)
    found = ask(emulator, request, "SigningCertificate", Id=file.removeprefix(PREFIX).removesuffix(".pem"))
    return text_answer(found["Certificate"]) if found else HttpResponse(404)


def list_endpoint_messages(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """What was published to platform endpoints; `endpointArn` narrows it down."""
    return sent(emulator, request, "platform_endpoint_messages", request.params.get("endpointArn"), telephones=False)


def list_sms_messages(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """What was published to telephone numbers; `phoneNumber` narrows it down."""
    return sent(emulator, request, "sms_messages", request.params.get("phoneNumber"), telephones=True)


def forget_endpoint_messages(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    ask(emulator, request, "ForgetMessages", Telephones=False, Target=request.params.get("endpointArn"))
    return HttpResponse(204)


def forget_sms_messages(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    ask(emulator, request, "ForgetMessages", Telephones=True, Target=request.params.get("phoneNumber"))
    return HttpResponse(204)


def list_opted_out(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """`{"phone_opt_outs": [numbers], "region"}`: who does not want messages."""
    found = ask(emulator, request, "ListPhoneNumbersOptedOut")
    return json_answer(
        {"phone_opt_outs": found["phoneNumbers"], "region": request.params.get("region", DEFAULT_REGION)}
    )


def get_subscription_token(emulator: Emulator, request: HttpRequest, arn: str) -> HttpResponse:
    """The token that confirms a subscription, for tests that cannot read its message."""
    if arn.count(":") != 6 or not arn.startswith("arn:"):
        error = "The provided SubscriptionARN is invalid"
        return json_answer({"error": error, "subscription_arn": arn}, 400)
    found = ask(emulator, request, "ConfirmationToken", SubscriptionArn=arn)
    if not found:
        error = "The provided SubscriptionARN is not found"
        return json_answer({"error": error, "subscription_arn": arn}, 404)
    return json_answer({"subscription_token": found["Token"], "subscription_arn": arn})


def sent(emulator: Emulator, request: HttpRequest, name: str, target: str | None, *, telephones: bool) -> HttpResponse:
    found = ask(emulator, request, "SentMessages", Telephones=telephones, Target=target)["Messages"]
    if target:
        found.setdefault(target, [])
    return json_answer({name: found, "region": request.params.get("region", DEFAULT_REGION)})


def ask(emulator: Emulator, request: HttpRequest, operation: str, **members: Any) -> dict[str, Any]:
    dispatcher = emulator.dispatcher
    account = request.params.get("accountId", DEFAULT_ACCOUNT)
    region = request.params.get("region", DEFAULT_REGION)
    call = dispatcher.service_call("sns", account, region, operation)
    result: dict[str, Any] = dispatcher.run(dispatcher.handler("sns", operation), call, members)
    return result
