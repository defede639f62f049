"""The audit log's page: entries in words, the chain verified, the log as a file."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from litestar import get, post
from litestar.params import FromQuery, URLEncodedBody
from litestar.response import Stream, Template

from cloudlet.control.audit.export import Writer, as_csv, as_json, note
from cloudlet.control.audit.forms import AuditFilter, read_filter
from cloudlet.control.audit.service import check_chain
from cloudlet.control.audit.views import choices_of, list_entries
from cloudlet.control.errors import InvalidForm
from cloudlet.control.given import CurrentViewer, TheDatabase, ThePlatform, WebRequest, client_ip
from cloudlet.control.pages import page
from cloudlet.control.permissions import requires
from cloudlet.control.threads import in_thread

PATH = "/workspace/audit"
FORMATS: Mapping[str, tuple[Writer, str]] = MappingProxyType(
    {"json": (as_json, "application/json"), "csv": (as_csv, "text/csv")}
)


@get(PATH, opt=requires("audit.read"))
@in_thread
def show_audit(
    viewer: CurrentViewer,
    database: TheDatabase,
    action: FromQuery[str] = "",
    actor: FromQuery[str] = "",
    since: FromQuery[str] = "",
    until: FromQuery[str] = "",
    before: FromQuery[int | None] = None,
    verify: FromQuery[str] = "",
) -> Template:
    fields = {"action": action, "actor": actor, "since": since, "until": until}
    try:
        wanted, problem = read_filter(fields), ""
    except InvalidForm as error:
        wanted, problem = AuditFilter(), error.detail
    with database.snapshot() as session:
        found = list_entries(session, viewer.workspace_id, wanted, before=before)
        choices = choices_of(session, viewer.workspace_id)
        report = check_chain(session, viewer.workspace_id) if verify else None
    return page(
        "audit.html",
        viewer,
        path=PATH,
        found=found,
        choices=choices,
        fields=fields,
        wanted=wanted,
        is_first=before is None,
        problem=problem,
        report=report,
        status=422 if problem else 200,
    )


@post(PATH + "/export", opt=requires("audit.read"), status_code=200)
@in_thread
def submit_export(
    request: WebRequest,
    data: URLEncodedBody[dict[str, str]],
    viewer: CurrentViewer,
    database: TheDatabase,
    platform: ThePlatform,
) -> Stream:
    """A POST, because that somebody took the log with them is itself an entry. Raises InvalidForm."""
    wanted = read_filter(data)
    form = data.get("format", "json")
    if form not in FORMATS:
        raise InvalidForm("The audit log is exported as json or csv.")
    with database.transaction() as session:
        note(session, platform, viewer, wanted, form, ip=client_ip(request))
    write, media_type = FORMATS[form]
    name = f"audit-{platform.now():%Y-%m-%d}.{form}"
    return Stream(
        write(database, viewer.workspace_id, wanted),
        media_type=media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


ROUTES = (
    show_audit,
    submit_export,
)
