"""`cloudlet completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from cloudlet.cli.context import Failed

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script for your shell.

    \b
    Examples:
      cloudlet completion bash >> ~/.bashrc
      cloudlet completion zsh > "${fpath[1]}/_cloudlet"
      cloudlet completion fish > ~/.config/fish/completions/cloudlet.fish
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise Failed(f"No completion is known for {shell}.", code="completion.shell")
    root = ctx.find_root().command
    scripts = [kind(root, {}, name, f"_{name.upper()}_COMPLETE").source() for name in ("cloudlet", "localstack")]
    click.echo("\n".join(scripts))
