"""Getting Started: three steps, the last of which turns green by itself."""

from __future__ import annotations

from typing import Any

from litestar import get
from litestar.response import Template
from sqlalchemy.orm import Session

from cloudlet.control.activations.records import last_activation
from cloudlet.control.activations.views import ActivationView, activation_view
from cloudlet.control.credentials.views import token_view
from cloudlet.control.given import CurrentViewer, TheDatabase, ThePlatform
from cloudlet.control.licenses.subscription_views import ending_notice
from cloudlet.control.licenses.views import license_view
from cloudlet.control.pages import page
from cloudlet.control.permissions import SIGNED_IN, requires
from cloudlet.control.threads import in_thread
from cloudlet.control.viewer import Viewer

PATH = "/getting-started"
DEFAULT_URL = "http://127.0.0.1:4580"  # where an emulator looks for its control plane unless told otherwise


@get(PATH, opt=requires(SIGNED_IN))
@in_thread
def show_getting_started(viewer: CurrentViewer, database: TheDatabase, platform: ThePlatform) -> Template:
    with database.snapshot() as session:
        license_ = license_view(session, platform, viewer)
        ending = ending_notice(session, platform, viewer.workspace_id)
        token = token_view(session, viewer)
        activation = find_activation(session, viewer)
    base_url = platform.settings.base_url
    return page(
        "getting_started.html",
        viewer,
        path=PATH,
        license=license_,
        ending=ending,
        has_license=license_.is_good,
        token=token,
        activation=activation,
        endpoint="" if base_url == DEFAULT_URL else base_url + "/v1",
    )


@get(PATH + "/status", opt=requires(SIGNED_IN))
@in_thread
def get_status(viewer: CurrentViewer, database: TheDatabase) -> dict[str, Any]:
    """For the page's live check: `activated` once an emulator of this member has started with a license."""
    with database.snapshot() as session:
        activation = find_activation(session, viewer)
    return {
        "activated": activation is not None and not activation.problem,
        "problem": activation.problem if activation else "",
    }


def find_activation(session: Session, viewer: Viewer) -> ActivationView | None:
    return activation_view(session, last_activation(session, viewer.membership_id))


ROUTES = (
    show_getting_started,
    get_status,
)
