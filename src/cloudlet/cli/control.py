"""`cloudlet control`: the licensing platform."""

from __future__ import annotations

import click

from cloudlet.cli.admin_plans import failures
from cloudlet.cli.context import Context, Failed
from cloudlet.cli.ports import require_free
from cloudlet.control.serve import AddressTaken, run


@click.group()
def control() -> None:
    """Run the control plane: accounts, workspaces, licenses, tokens."""


@control.command()
@click.pass_context
def start(ctx: click.Context) -> None:
    """Serve the control plane until Ctrl-C.

    It listens on 127.0.0.1:4580 (PLATFORM_LISTEN) and keeps its database in the state directory unless
    PLATFORM_DATABASE_URL says otherwise. The first workspace: `cloudlet admin bootstrap`.

    \b
    Examples:
      cloudlet control start
      PLATFORM_LISTEN=0.0.0.0:8080 cloudlet control start
    """
    context: Context = ctx.obj
    settings = context.platform
    require_free(settings.listen, "control plane", "PLATFORM_LISTEN", "cloudlet control start")
    try:
        with failures():
            code = run(settings)
    except AddressTaken as error:
        raise Failed(f"Port {error.port} on {error.host} is taken.", code="port.taken") from None
    ctx.exit(code)
