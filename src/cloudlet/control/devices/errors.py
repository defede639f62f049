"""What can go wrong when a command line signs in.

Refusal
├── RequestUnknown    404: no such request, or another exchange token; nobody can tell which
├── RequestOver       410: nobody answered it in time
├── RequestUsed       410: it gave its token already
├── RequestDecided    410: on the page, it was confirmed or denied before
├── NotConfirmed      403
├── RequestDenied     403
├── BearerInvalid     401: what `exchange` gave is unknown, used or too old
├── TokenInvalid      401: not a token of ours, or one that is over
├── OwnToken          409: a personal token is reset on its page, not revoked
└── ScopeUnknown      400
"""

from __future__ import annotations

from cloudlet.control.errors import NotFound, Refusal

AGAIN = "Start again: `cloudlet auth login`."


class RequestUnknown(NotFound):
    code = "auth.request.not_found"
    title = "There is no such sign-in request"
    hint = AGAIN


class RequestOver(Refusal):
    status = 410
    code = "auth.request.expired"
    title = "This sign-in request is over"
    hint = "It was open for ten minutes. " + AGAIN


class RequestUsed(Refusal):
    status = 410
    code = "auth.request.used"
    title = "This sign-in request has given its token already"
    hint = AGAIN


class RequestDecided(Refusal):
    status = 410
    code = "auth.request.decided"
    title = "This sign-in request has been answered"
    hint = "Look at the terminal that it came from."


class NotConfirmed(Refusal):
    status = 403
    code = "auth.request.not_confirmed"
    title = "Nobody has confirmed this sign-in request yet"
    hint = "Confirm it in the browser."


class RequestDenied(Refusal):
    status = 403
    code = "auth.request.denied"
    title = "The sign-in request was denied"


class BearerInvalid(Refusal):
    status = 401
    code = "auth.bearer.invalid"
    title = "This authorization is unknown, was used, or is too old"
    hint = AGAIN


class MembershipEnded(Refusal):
    status = 403
    code = "auth.membership.removed"
    title = "You are no longer a member of the workspace that you chose"
    hint = "Ask an admin of the workspace."


class TokenInvalid(Refusal):
    status = 401
    code = "credentials.invalid"
    title = "The server does not know this token"
    hint = "Sign in with `cloudlet auth login`, or copy your token again from the Auth Token page."


class OwnToken(Refusal):
    status = 409
    code = "credential.not_a_device"
    title = "Only tokens of devices are revoked this way"
    hint = "Your personal token is reset on the Auth Token page."


class ScopeUnknown(Refusal):
    status = 400
    code = "auth.scope.unknown"
    title = "There is no such permission"


class BodyUnreadable(Refusal):
    status = 400
    code = "auth.request.format"
    title = "The body is not a sign-in request"
