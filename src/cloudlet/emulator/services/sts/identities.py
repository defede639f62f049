"""Who signs: GetCallerIdentity, GetAccessKeyInfo, DecodeAuthorizationMessage."""

from __future__ import annotations

from cloudlet.emulator.kernel.access_keys import KEY_LENGTH, account_of, decoded_account
from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only
from cloudlet.emulator.services.sts.api import (
    DecodeAuthorizationMessageRequest,
    DecodeAuthorizationMessageResponse,
    GetAccessKeyInfoRequest,
    GetAccessKeyInfoResponse,
    GetCallerIdentityRequest,
    GetCallerIdentityResponse,
    InvalidAuthorizationMessageException,
)
from cloudlet.emulator.services.sts.authorization_messages import decode_message
from cloudlet.emulator.services.sts.sessions import calling_session


@read_only
def get_caller_identity(call: Call, request: GetCallerIdentityRequest) -> GetCallerIdentityResponse:
    """The session of issued keys; the account's root for all others."""
    session = calling_session(call)
    if session is not None:
        return {"UserId": session.user_id, "Account": session.account_id, "Arn": session.arn}
    principal = call.principal
    return {"UserId": principal.user_id, "Account": call.account_id, "Arn": principal.arn}


@read_only
def get_access_key_info(call: Call, request: GetAccessKeyInfoRequest) -> GetAccessKeyInfoResponse:
    """The account that is written in the key id, for AWS's own forms too: nothing is done in its name here."""
    access_key_id = request["AccessKeyId"]
    account = decoded_account(access_key_id) if len(access_key_id) >= KEY_LENGTH else None
    return {"Account": account or account_of(access_key_id)}


@read_only
def decode_authorization_message(
    call: Call, request: DecodeAuthorizationMessageRequest
) -> DecodeAuthorizationMessageResponse:
    """Raises InvalidAuthorizationMessageException for what this emulator did not encode."""
    decoded = decode_message(request["EncodedMessage"])
    if decoded is None:
        raise InvalidAuthorizationMessageException("Message is not valid")
    return {"DecodedMessage": decoded}
