"""What can go wrong with a request of the native API, whatever it asks for."""

from __future__ import annotations

import msgspec

from cloudlet.control.errors import Forbidden, NotSignedIn, Refusal


class TokenInvalid(NotSignedIn):
    code = "api_token.invalid"
    title = "This API token is unknown, revoked or expired"
    hint = "Create one on the page API tokens."


class TokenScope(Forbidden):
    code = "api_token.scope"
    title = "A token can have only permissions that you have yourself"
    hint = "Leave out what you may not do."


class PeopleOnly(Forbidden):
    code = "api_token.people_only"
    title = "An API token may not do this"
    hint = "Do it in the web application, or with a session."


class CsrfMissing(Forbidden):
    code = "session.csrf"
    title = "The header X-CSRF-Token is missing or not this session's"
    hint = "GET /api/v1/session tells it. With an API token it is not needed."


class SudoNeeded(Forbidden):
    code = "session.sudo_required"
    title = "Please prove again who you are"
    hint = "Give your password, and a code where you have a second factor."


class CodeNeeded(NotSignedIn):
    code = "session.code_required"
    title = "This account has a second factor"
    hint = "Send a code of the authenticator app, or a recovery code, as `code`."


class BodySyntax(Refusal):
    status = 400
    code = "body.syntax"
    title = "The body is not JSON"


class BodyType(Refusal):
    status = 415
    code = "body.type"
    title = "The body must be JSON"
    hint = "Send it with the header `Content-Type: application/json`."


class Invalid(msgspec.Struct, frozen=True):
    """`path` says where, such as `$.role`."""

    path: str
    message: str


class BodyInvalid(Refusal):
    status = 422
    code = "body.invalid"
    title = "The body has something in it that does not fit"

    def __init__(self, invalid: Invalid) -> None:
        super().__init__(f"{invalid.message} (at {invalid.path})")
        self.invalid = (invalid,)


class QueryInvalid(Refusal):
    status = 400
    code = "query.invalid"
    title = "A parameter of the address does not fit"

    def __init__(self, invalid: Invalid) -> None:
        super().__init__(f"{invalid.message} (at {invalid.path})")
        self.invalid = (invalid,)


class CursorInvalid(Refusal):
    status = 400
    code = "cursor.invalid"
    title = "This cursor is not one of this list"
    hint = "Take `next_cursor` of an answer as it is, or begin without one."


class MatchNeeded(Refusal):
    status = 428
    code = "match.required"
    title = "Say which version you change"
    hint = "Send the ETag of the GET answer as `If-Match`; `*` changes any version."


class MatchFailed(Refusal):
    status = 412
    code = "match.failed"
    title = "It was changed since you read it"
    hint = "Read it again and decide again."
