"""What can go wrong with single sign-on.

Refusal
├── ProviderUnusable        422: what an identity provider says of itself does not do
├── SsoLimit                409
├── SsoAdminNeeded          403: whoever may manage single sign-on, and is no admin
├── SsoOff                  409: the admins switched it off
├── SsoOver                 410: the sign-in took too long, was used, or began in another browser
├── SsoDenied               403: the provider let nobody in, and says why
├── SsoTokenInvalid         502: what came back does not prove anything
└── SsoRefused              403: it is clear who they are, and they may not in
    ├── SsoEmail                no confirmed address, or not one of the allowed domains
    ├── SsoForeignAccount       their address has an account that this provider does not speak for
    ├── SsoUninvited            nobody by that address was invited, and the provider admits nobody else
    ├── SsoRemoved              they were in the workspace, and are not any more
    └── SsoDisabled             the operator disabled their account
"""

from __future__ import annotations

from cloudlet.control.errors import Conflict, Forbidden, InvalidForm, Refusal


class ProviderUnusable(InvalidForm):
    code = "sso.provider"
    title = "This identity provider cannot be used"
    hint = "Check the issuer with whoever runs the provider."


class SsoLimit(Conflict):
    code = "sso.limit"
    title = "A workspace has 10 identity providers at most"
    hint = "Delete one that is not needed any more."


class SsoAdminNeeded(Forbidden):
    code = "sso.admin_needed"
    title = "Only an admin switches a provider on"
    hint = "Ask an admin of the workspace to look at it: whom it vouches for comes in as that member, an admin too."


class SsoOff(Conflict):
    code = "sso.off"
    title = "Single sign-on with this provider is switched off"
    hint = "Ask an admin of the workspace."


class SsoOver(Refusal):
    status = 410
    code = "sso.over"
    title = "This sign-in does not go on any more"
    hint = "Begin again in this browser: a sign-in is good once, for ten minutes, where it began."


class SsoDenied(Refusal):
    status = 403
    code = "sso.denied"
    title = "The identity provider did not let you in"
    hint = "Try again, or ask whoever runs the provider."


class SsoTokenInvalid(Refusal):
    status = 502
    code = "sso.token"
    title = "The identity provider’s answer proves nothing"
    hint = "Try again. If it stays so, an admin of the workspace can test the provider on the page Single sign-on."


class SsoRefused(Refusal):
    status = 403
    code = "sso.refused"
    title = "Single sign-on does not let you in"
    hint = "Ask an admin of the workspace."


class SsoEmail(SsoRefused):
    code = "sso.email"
    title = "Your e-mail address does not open this workspace"


class SsoForeignAccount(SsoRefused):
    code = "sso.foreign_account"
    title = "There is an account with your address already"
    hint = (
        "Ask an admin of the workspace to invite you; accept with that account, and single sign-on works from then on."
    )


class SsoUninvited(SsoRefused):
    code = "sso.uninvited"
    title = "You are not a member of this workspace"
    hint = "Ask an admin to invite you: by this provider nobody joins by themselves."


class SsoRemoved(SsoRefused):
    code = "sso.removed"
    title = "You are not a member of this workspace any more"
    hint = "An admin can invite you again."


class SsoDisabled(SsoRefused):
    code = "sso.disabled"
    title = "Your account is disabled"
    hint = "Ask the operator of this Cloudlet."
