"""`cloudlet admin backup` and `restore`."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from cloudlet.cli.admin_plans import failures
from cloudlet.cli.context import Context, Failed, pass_context
from cloudlet.control.backup import BackupError, back_up
from cloudlet.control.backup import restore as put_back
from cloudlet.control.db import Database
from cloudlet.control.platform import Platform
from cloudlet.control.prepare import prepare
from cloudlet.license.effects import SYSTEM

SECRET_NOTE = "The secret key is not in it: keep PLATFORM_SECRET_KEY (or secret.key) apart."  # noqa: S105


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace FILE where there is one.")
@pass_context
def backup(context: Context, file: Path, force: bool) -> None:
    """Write a consistent copy of the control plane's database to FILE.

    The control plane may run meanwhile. The secret key is not in the copy: without
    it nobody can use the tokens in it, and neither can you. PostgreSQL is copied by
    pg_dump.

    \b
    Examples:
      cloudlet admin backup control-2026-11-24.backup
    """
    if file.exists() and not force:
        raise Failed(f"{file} exists already.", code="backup.exists", actions=("Use --force to replace it.",))
    try:
        made = back_up(context.platform, file, context.command.variables)
    except BackupError as error:
        raise Failed(str(error), code="backup.failed", actions=error.actions) from error
    lines = (f"Backed up to {made.path} ({made.kind}, {made.bytes:,} bytes).", SECRET_NOTE)
    context.answer(msgspec.structs.asdict(made), "\n".join(lines))


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Also over accounts that are there, or while it runs.")
@pass_context
def restore(context: Context, file: Path, force: bool) -> None:
    """Put a copy of `cloudlet admin backup` in place of the database.

    Refuses a database that is in use or holds accounts, a damaged copy, and one that
    was made with another secret key.

    \b
    Examples:
      cloudlet admin restore control-2026-11-24.backup
    """
    with failures():
        platform = Platform(context.platform, SYSTEM)
        try:
            made = put_back(context.platform, platform, file, context.command.variables, is_forced=force)
        except BackupError as error:
            raise Failed(str(error), code="restore.failed", actions=error.actions) from error
        database = Database(context.platform)
        try:
            prepare(database, platform)
        finally:
            database.close()
    context.answer(msgspec.structs.asdict(made), f"Restored from {made.path}. Start the control plane again.")
