"""The page "Offline licenses" and its forms."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath, FromQuery, MultipartBody
from litestar.response import Redirect, Template

from cloudlet.control.db import Database
from cloudlet.control.errors import NotFound, Refusal
from cloudlet.control.given import CurrentViewer, TheDatabase, ThePlatform, WebRequest, client_ip
from cloudlet.control.offline import service
from cloudlet.control.offline.forms import MOST_BYTES, MOST_MACHINES, read_issue_form
from cloudlet.control.offline.views import choices_of, list_files
from cloudlet.control.pages import go, page
from cloudlet.control.permissions import requires
from cloudlet.control.platform import Platform
from cloudlet.control.threads import in_thread
from cloudlet.control.viewer import Viewer

PATH = "/workspace/offline"
ONE = PATH + "/{file_id:str}"
ISSUE = requires("offline_file.issue")
DONE: Mapping[str, str] = MappingProxyType(
    {
        "issued": "The license file is issued. Download it and carry it to the machine.",
        "revoked": "The license file is revoked: it is not handed out again, and who asks is told no.",
    }
)


@get(PATH, opt=ISSUE)
@in_thread
def show_offline(
    viewer: CurrentViewer,
    database: TheDatabase,
    platform: ThePlatform,
    before: FromQuery[str] = "",
    done: FromQuery[str] = "",
    new: FromQuery[str] = "",
) -> Template:
    return offline_page(viewer, database, platform, before=before, done=DONE.get(done, ""), new=new)


@post(PATH, opt=ISSUE)
@in_thread
def submit_issue(
    request: WebRequest,
    data: MultipartBody[dict[str, Any]],
    viewer: CurrentViewer,
    database: TheDatabase,
    platform: ThePlatform,
) -> Template | Redirect:
    fields = {name: value for name, value in data.items() if isinstance(value, str)}
    try:
        form = read_issue_form(
            uploads(data.get("request")),
            fields.get("membership", ""),
            fields.get("days", ""),
            fields.get("name", ""),
        )
        with database.transaction() as session:
            issued = service.issue_file(session, platform, viewer, form, **client_of(request))
    except Refusal as error:
        return offline_page(viewer, database, platform, problem=error, fields=fields)
    return go(f"{PATH}?done=issued&new={issued.id}")


@post(ONE + "/download", opt=ISSUE, status_code=200)
@in_thread
def submit_download(
    request: WebRequest,
    file_id: FromPath[str],
    viewer: CurrentViewer,
    database: TheDatabase,
    platform: ThePlatform,
) -> Response[bytes]:
    """A POST, because that somebody took it is written down. Raises NotFound, FileRevoked."""
    with database.transaction() as session:
        raw = service.download_file(session, platform, viewer, file_id, **client_of(request))
    return Response(
        raw,
        media_type="application/x-pem-file",
        headers={"Content-Disposition": f'attachment; filename="cloudlet-{file_id[-6:]}.lic"'},
    )


@post(ONE + "/revoke", opt=ISSUE)
@in_thread
def submit_revoke(
    request: WebRequest,
    file_id: FromPath[str],
    viewer: CurrentViewer,
    database: TheDatabase,
    platform: ThePlatform,
) -> Redirect:
    with database.transaction() as session:
        service.revoke_file(session, platform, viewer, file_id, **client_of(request))
    return go(f"{PATH}?done=revoked")


def uploads(value: Any) -> list[bytes]:
    """The bytes of the files that were chosen; a browser sends an empty one for none."""
    found = value if isinstance(value, list) else [value]
    raw = [file.file.read(MOST_BYTES + 1) for file in found[: MOST_MACHINES + 1] if isinstance(file, UploadFile)]
    return [content for content in raw if content]


def client_of(request: WebRequest) -> dict[str, str]:
    return {"ip": client_ip(request), "user_agent": request.headers.get("user-agent", "")}


def offline_page(
    viewer: Viewer,
    database: Database,
    platform: Platform,
    *,
    before: str = "",
    done: str = "",
    new: str = "",
    problem: Refusal | None = None,
    fields: Mapping[str, str] | None = None,
) -> Template:
    with database.snapshot() as session:
        found = list_files(session, platform, viewer.workspace_id, before=before)
        choices = choices_of(session, platform, viewer.workspace_id)
    status = 422 if isinstance(problem, NotFound) else problem.status if problem else 200
    return page(
        "offline.html",
        viewer,
        path=PATH,
        found=found,
        choices=choices,
        is_first=not before,
        fields=fields or {},
        most_machines=MOST_MACHINES,
        done=done,
        new=new,
        problem=problem,
        status=status,
    )


ROUTES = (
    show_offline,
    submit_issue,
    submit_download,
    submit_revoke,
)
