"""License files for machines without a network."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from cloudlet.control.api.operation import Body, Call, CursorQuery, Document, Page, make_cursor, operation, read_cursor
from cloudlet.control.errors import InvalidForm
from cloudlet.control.offline import service
from cloudlet.control.offline.errors import BadRequestFile, FileMoved, FileRevoked, NoLicenseToIssue, NotInPlan
from cloudlet.control.offline.forms import read_issue_form
from cloudlet.control.offline.views import FileView, list_files

FILES = "/workspaces/{workspace_id}/offline-files"
FILE = FILES + "/{file_id}"


class FileWish(Body, frozen=True, kw_only=True):
    """`requests`: what `cloudlet license request` wrote on each machine; `member_id`: whose license; `days`: how long."""

    requests: tuple[dict[str, Any], ...]
    member_id: str
    days: int
    name: str = ""


class IssuedFile(msgspec.Struct, frozen=True, kw_only=True):
    """Download it with POST …/download."""

    id: str
    name: str
    machines: tuple[str, ...]
    expires_at: datetime


@operation("GET", FILES, "offline_file.issue")
def list_offline_files(call: Call, query: CursorQuery) -> Page[FileView]:
    """Files that were issued, newest first."""
    before = read_cursor("offline", query.cursor) or ""
    found = list_files(call.session, call.platform, call.viewer.workspace_id, before=before)
    return Page(found.files, make_cursor("offline", found.older) if found.older else None)


@operation(
    "POST",
    FILES,
    "offline_file.issue",
    status=201,
    once=True,
    refuses=(BadRequestFile, NoLicenseToIssue, NotInPlan, InvalidForm),
)
def issue_offline_file(call: Call, body: FileWish) -> IssuedFile:
    """Issue a license file for machines, from their request files."""
    raw = [msgspec.json.encode(request) for request in body.requests]
    form = read_issue_form(raw, body.member_id, str(body.days), body.name)
    made = service.issue_file(call.session, call.platform, call.viewer, form, ip=call.ip, user_agent=call.user_agent)
    return IssuedFile(id=made.id, name=made.name, machines=tuple(made.machine_ids), expires_at=made.expires_at)


@operation("POST", FILE + "/download", "offline_file.issue", refuses=(FileRevoked, FileMoved))
def download_offline_file(call: Call, file_id: str) -> Document:
    """The file. A POST, because that somebody took it is written down."""
    raw = service.download_file(
        call.session, call.platform, call.viewer, file_id, ip=call.ip, user_agent=call.user_agent
    )
    return Document(raw, "application/x-pem-file", f"cloudlet-{file_id[-6:]}.lic")


@operation("DELETE", FILE, "offline_file.issue")
def revoke_offline_file(call: Call, file_id: str) -> None:
    """It is not handed out again, and who asks is told no. A machine without a network cannot ask."""
    service.revoke_file(call.session, call.platform, call.viewer, file_id, ip=call.ip, user_agent=call.user_agent)


OPERATIONS = (
    list_offline_files,
    issue_offline_file,
    download_offline_file,
    revoke_offline_file,
)
