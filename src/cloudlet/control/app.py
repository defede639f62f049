"""The web application, put together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio.to_thread import run_sync
from litestar import Litestar
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.static_files import create_static_files_router
from litestar.template import TemplateConfig
from sqlalchemy.exc import DataError

from cloudlet.control import error_page, health, token_patterns
from cloudlet.control.accounts import account_pages as account
from cloudlet.control.accounts import pages as accounts
from cloudlet.control.accounts import reset_pages as reset
from cloudlet.control.accounts import second_factor_pages as second_factor
from cloudlet.control.accounts import sign_up_pages as sign_up
from cloudlet.control.activations import api as license_api
from cloudlet.control.activations import history_pages as activations
from cloudlet.control.activations import machine_pages as machines
from cloudlet.control.activations import pages as getting_started
from cloudlet.control.activations.errors import LicenseVerdict
from cloudlet.control.api import docs_pages as api_docs
from cloudlet.control.api import routes as native_api
from cloudlet.control.audit import pages as audit
from cloudlet.control.audit.origin import remember_origin
from cloudlet.control.ci import pages as ci_keys
from cloudlet.control.credentials import legacy_pages as api_keys
from cloudlet.control.credentials import pages as credentials
from cloudlet.control.db import Database
from cloudlet.control.devices import api as devices_api
from cloudlet.control.devices import checks, outside
from cloudlet.control.devices import pages as devices
from cloudlet.control.errors import Refusal
from cloudlet.control.handlers import render_crash, render_http, render_refusal, render_unfit, render_verdict
from cloudlet.control.inputs import refuse_nul
from cloudlet.control.licenses import api as keys_api
from cloudlet.control.licenses import pages as licenses
from cloudlet.control.licenses import subscription_pages as subscriptions
from cloudlet.control.licenses.plan_file import read_plan_file
from cloudlet.control.limits.memory import Buckets, add_rate_headers
from cloudlet.control.logs import RequestLog
from cloudlet.control.mail import pages as mail
from cloudlet.control.mail.delivery import warn_where_mail_waits
from cloudlet.control.mail.server import mail_server
from cloudlet.control.members import join_pages as joining
from cloudlet.control.members import pages as members
from cloudlet.control.metrics import Metrics
from cloudlet.control.offline import api as file_api
from cloudlet.control.offline import pages as offline
from cloudlet.control.pages import STATIC, make_template_engine
from cloudlet.control.permissions import PUBLIC, authorize, requires
from cloudlet.control.platform import Platform
from cloudlet.control.prepare import prepare
from cloudlet.control.security import add_headers, csrf_config
from cloudlet.control.sso import pages as sso
from cloudlet.control.sso import sign_in_pages as sso_sign_in
from cloudlet.control.viewer import provide_account, provide_viewer
from cloudlet.control.webhooks import pages as webhooks
from cloudlet.control.work.tasks import TASKS
from cloudlet.control.work.worker import Worker
from cloudlet.control.workspaces import pages as workspaces
from cloudlet.license.effects import SYSTEM, Effects
from cloudlet.settings import PlatformSettings

# Each area lists its own routes, at the end of its module.
ROUTES = (
    # --- for programs
    *license_api.ROUTES,
    *keys_api.ROUTES,
    *file_api.ROUTES,
    *devices_api.ROUTES,
    *checks.ROUTES,
    *outside.ROUTES,
    *native_api.ROUTES,
    *api_docs.ROUTES,
    *health.ROUTES,
    *error_page.ROUTES,
    *token_patterns.ROUTES,
    # --- signing in and out, one's own account
    *accounts.ROUTES,
    *sign_up.ROUTES,
    *reset.ROUTES,
    *account.ROUTES,
    *second_factor.ROUTES,
    *sso_sign_in.ROUTES,
    *mail.ROUTES,
    *devices.ROUTES,
    # --- the workspace
    *workspaces.ROUTES,
    *getting_started.ROUTES,
    *licenses.ROUTES,
    *subscriptions.ROUTES,
    *credentials.ROUTES,
    *ci_keys.ROUTES,
    *api_keys.ROUTES,
    *activations.ROUTES,
    *machines.ROUTES,
    *members.ROUTES,
    *joining.ROUTES,
    *audit.ROUTES,
    *webhooks.ROUTES,
    *sso.ROUTES,
    *offline.ROUTES,
)


def create_app(settings: PlatformSettings, effects: Effects = SYSTEM) -> Litestar:
    """The ASGI application. Opens the database and migrates it (under a lock) when the application starts.

    Raises `vault.SecretKeyError` when the secret key is missing from where the settings say it is, and `SettingError`
    when the mail server's address or the plans' file cannot be understood.
    """
    mail_server(settings)
    if settings.plans_file:
        read_plan_file(settings.plans_file)
    platform = Platform(settings, effects)
    database = Database(settings)

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        await run_sync(prepare, database, platform)
        warn_where_mail_waits(platform)
        worker = Worker(database, platform, TASKS)
        worker.start()
        database.wake = worker.wake
        app.state.worker = worker
        try:
            yield
        finally:
            await worker.stop()
            database.close()

    app = Litestar(
        route_handlers=[
            *ROUTES,
            create_static_files_router(path="/static", directories=[STATIC], opt=requires(PUBLIC), cache_control=None),
        ],
        dependencies={
            "account": Provide(provide_account, sync_to_thread=False),
            "viewer": Provide(provide_viewer, sync_to_thread=False),
            "database": Provide(lambda: database, sync_to_thread=False),
            "platform": Provide(lambda: platform, sync_to_thread=False),
        },
        guards=[remember_origin, authorize, refuse_nul],
        middleware=[RequestLog()],
        before_send=[add_headers, add_rate_headers],
        csrf_config=csrf_config(platform),
        exception_handlers={
            LicenseVerdict: render_verdict,
            Refusal: render_refusal,
            HTTPException: render_http,
            DataError: render_unfit,
            Exception: render_crash,
        },
        template_config=TemplateConfig(instance=make_template_engine(platform)),
        lifespan=[lifespan],
        openapi_config=None,
        logging_config=None,
        request_max_body_size=256 * 1024,
    )
    app.state.platform = platform
    app.state.database = database
    app.state.buckets = Buckets()
    app.state.metrics = Metrics(database, platform)
    return app
