"""What can go wrong when workspaces are made, changed and deleted."""

from __future__ import annotations

from cloudlet.control.errors import Conflict, Forbidden, InvalidForm


class SettingsChanged(Conflict):
    code = "workspace.changed"
    title = "Somebody else changed these settings meanwhile"
    hint = "What is there now is shown below; make your change again."


class NameNotTyped(InvalidForm):
    code = "workspace.name_not_typed"
    title = "Type the workspace’s name to delete it"


class TooManyWorkspaces(Conflict):
    code = "workspace.too_many"
    title = "You have very many workspaces already"
    hint = "Leave or delete one first."


class OneWorkspaceOnly(Forbidden):
    code = "workspace.sso_only"
    title = "Single sign-on opens one workspace only"
    hint = "Sign in with your password instead; “Forgot your password?” sets the first one."
