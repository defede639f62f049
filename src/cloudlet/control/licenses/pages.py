"""The My License page."""

from __future__ import annotations

from litestar import get
from litestar.response import Template

from cloudlet.control.activations.records import last_activation
from cloudlet.control.activations.views import activation_view
from cloudlet.control.given import CurrentViewer, TheDatabase, ThePlatform
from cloudlet.control.licenses.views import license_view
from cloudlet.control.pages import page
from cloudlet.control.permissions import SIGNED_IN, requires
from cloudlet.control.threads import in_thread

PATH = "/workspace/my-license"


@get(PATH, opt=requires(SIGNED_IN))
@in_thread
def show_my_license(viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform) -> Template:
    with database.snapshot() as session:
        license_ = license_view(session, platform, viewer)
        activation = activation_view(session, last_activation(session, viewer.membership_id))
    return page("my_license.html", viewer, path=PATH, license=license_, activation=activation)


ROUTES = (show_my_license,)
