"""The errors of the control plane; `handlers` renders each once, as a page or as JSON.

Refusal                     something a person or program asked for and does not get
├── NotSignedIn             401: pages lead to the sign-in page
├── NotVerified             403: pages lead to "check your mail"
├── NoWorkspace             403: pages lead to making one
├── Forbidden               403
├── NotFound                404: absent, or somebody else's; nobody can tell which
├── Conflict                409
├── InvalidForm             422: the form is shown again with what is wrong
└── (in each area's errors.py)
"""

from __future__ import annotations

from typing import ClassVar


class Refusal(Exception):
    """`code` is stable and for programs, `detail` a sentence for people, `hint` what to do."""

    status: ClassVar[int] = 400
    code: str = "refused"
    title: ClassVar[str] = "That did not work"
    hint: str = ""

    def __init__(self, detail: str = "", *, hint: str = "") -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.hint = hint or self.hint


class NotSignedIn(Refusal):
    status = 401
    code = "session.required"
    title = "Please sign in"


class NotVerified(Refusal):
    status = 403
    code = "account.not_verified"
    title = "Please confirm your e-mail address"
    hint = "Open the link in the mail that we sent you."


class NoWorkspace(Refusal):
    status = 403
    code = "workspace.required"
    title = "You belong to no workspace"
    hint = "Create one, or ask an admin to invite you."


class Forbidden(Refusal):
    status = 403
    code = "permission.denied"
    title = "You may not do that"
    hint = "Ask an admin of the workspace."


class NotFound(Refusal):
    status = 404
    code = "not_found"
    title = "There is nothing here"


class Conflict(Refusal):
    status = 409
    code = "conflict"
    title = "Somebody else was faster"


class InvalidForm(Refusal):
    status = 422
    code = "form.invalid"
    title = "Please check what you entered"
