"""The My License page."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from litestar import get
from litestar.params import FromQuery
from litestar.response import Template

from cloudlet.control.activations.records import last_activation
from cloudlet.control.activations.views import activation_view
from cloudlet.control.given import CurrentViewer, TheDatabase, ThePlatform
from cloudlet.control.licenses.subscription_views import ending_notice
from cloudlet.control.licenses.views import license_view
from cloudlet.control.pages import page
from cloudlet.control.permissions import SIGNED_IN, requires
from cloudlet.control.threads import in_thread

PATH = "/workspace/my-license"
JOINED: Mapping[str, str] = MappingProxyType(
    {
        "yes": "Welcome! An admin assigns you a license.",
        "assigned": "Welcome! A license is assigned to you.",
        "not_given": "Welcome! You were to get a license, but who invited you assigns none any more: ask an admin.",
        "none_free": "Welcome! You were to get a license, but none was free: ask an admin.",
    }
)


@get(PATH, opt=requires(SIGNED_IN))
@in_thread
def show_my_license(
    viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform, joined: FromQuery[str] = ""
) -> Template:
    with database.snapshot() as session:
        license_ = license_view(session, platform, viewer)
        ending = ending_notice(session, platform, viewer.workspace_id)
        activation = activation_view(session, last_activation(session, viewer.membership_id))
    return page(
        "my_license.html",
        viewer,
        path=PATH,
        license=license_,
        ending=ending,
        activation=activation,
        joined=JOINED.get(joined, ""),
    )


ROUTES = (show_my_license,)
