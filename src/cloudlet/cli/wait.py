"""`cloudlet wait`."""

from __future__ import annotations

import click

from cloudlet.cli import emulator
from cloudlet.cli.context import TIMEOUT, Context, Failed, pass_context
from cloudlet.cli.endpoint import HEALTH, get_json, is_emulator, wait_until


@click.command()
@click.option(
    "-t", "--timeout", type=click.FloatRange(min=0), metavar="SECONDS", help="At most this long; exit code 124."
)
@pass_context
def wait(context: Context, timeout: float | None) -> None:
    """Wait until the emulator answers.

    \b
    Examples:
      cloudlet start -d && cloudlet wait -t 30
      GATEWAY_LISTEN=127.0.0.1:4567 cloudlet wait
    """
    url = emulator.current_url(context)
    if not wait_until(lambda: is_emulator(get_json(url, HEALTH)), timeout):
        message = f"No emulator answered at {url} within {timeout:g} seconds."
        raise Failed(message, code="wait.timeout", exit_code=TIMEOUT, retryable=True, actions=("cloudlet logs",))
    context.answer({"url": url}, f"Ready: {url}")
