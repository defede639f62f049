"""The way of a request to a user's API: whose it is, of which kind, and its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudlet.emulator.gateway.apis import http as http_apis
from cloudlet.emulator.gateway.apis import rest as rest_apis
from cloudlet.emulator.gateway.apis.addresses import Address
from cloudlet.emulator.gateway.apis.answers import message
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from cloudlet.emulator.gateway.dispatch import Dispatcher

KINDS = (("apigateway", rest_apis.answer), ("apigatewayv2", http_apis.answer))


async def answer_api(dispatcher: Dispatcher, request: HttpRequest, address: Address) -> HttpResponse:
    """Never raises AwsError: nobody here speaks AWS's protocol."""
    for service, answer in KINDS:
        for account_id, region, apis in await dispatcher.fallback.held(service, "apis"):
            if address.api_id in apis:
                call = dispatcher.service_call(service, account_id, region, "ExecuteApi")
                return await answer(call, request, address.api_id, address.rest)
    return message(403, "Forbidden")
