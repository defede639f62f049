"""What can go wrong when someone signs in."""

from __future__ import annotations

from cloudlet.control.errors import Conflict, InvalidForm, Refusal


class SignInRefused(InvalidForm):
    """One sentence for unknown address, wrong password and disabled account alike: it tells strangers nothing.

    `user_id` and `reason` are for the audit log: whose account it was, "" for nobody's.
    """

    user_id: str = ""
    reason: str = "password"

    status = 401
    code = "session.credentials"
    title = "E-mail address or password is wrong"


class WrongPassword(InvalidForm):
    status = 403
    code = "session.password"
    title = "That password is wrong"


class WrongCode(WrongPassword):
    """The second factor's; a kind of WrongPassword, for whoever asks for proof of a person."""

    user_id: str = ""  # as for SignInRefused
    reason: str = "code"
    code = "session.code"
    title = "That code is wrong"
    hint = "Your phone's clock must be right, and each code works once."


class NoSecondFactor(Refusal):
    status = 409
    code = "account.no_second_factor"
    title = "Two-factor sign-in is off"


class SignUpClosed(Refusal):
    status = 403
    code = "account.sign_up_closed"
    title = "This Cloudlet makes accounts by invitation"
    hint = "Ask an admin of your workspace to invite you."


class LinkExpired(Refusal):
    status = 410
    code = "link.expired"
    title = "This link has been used or has expired"
    hint = "Links work once and for a short time. Ask for a new one."


class WeakPassword(InvalidForm):
    code = "account.password_weak"
    title = "Choose another password"


class FreshSignInNeeded(WrongPassword):
    """For who has a second factor: the password alone proves too little."""

    code = "session.fresh_needed"
    title = "Your password alone is not enough here"
    hint = "Enter a code of your authenticator app too, or one of your recovery codes."


class LinkNeeded(WrongPassword):
    """For who has no password, and came by a link or by single sign-on, a while ago."""

    code = "account.link_needed"
    title = "It has been a while since you signed in, and you have no password"
    hint = "Sign in again as you did and try again within 15 minutes, or set a password by “Forgot your password?”."


class UserExists(Conflict):
    code = "account.exists"
    title = "There is an account with this address"
