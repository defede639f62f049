"""What can go wrong with license files."""

from __future__ import annotations

from cloudlet.control.errors import Conflict, InvalidForm


class BadRequestFile(InvalidForm):
    code = "offline_file.request"
    title = "That is no request file"
    hint = "Make one on the machine: cloudlet license request --out license-request.json"


class NoLicenseToIssue(Conflict):
    code = "offline_file.no_license"
    title = "That member holds no license that is in force"
    hint = "Assign one on Users & Licenses first."


class NotInPlan(Conflict):
    code = "offline_file.not_in_plan"
    title = "The plan has no license files"
    hint = "Choose a plan that has them on Subscriptions."


class FileMoved(Conflict):
    code = "offline_file.moved"
    title = "The license of this file is its member's no more"
    hint = "Issue a new one, for who holds a license now."


class FileRevoked(Conflict):
    code = "offline_file.revoked"
    title = "This license file was revoked"
    hint = "Issue a new one."
