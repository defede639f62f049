"""What a container needs of this machine's license: the token as a file, the kept license, and who the machine is."""

from __future__ import annotations

import json
import os
from pathlib import Path

import msgspec

from cloudlet.cli.container.record import RecordFile
from cloudlet.cli.context import LICENSE, Context, Failed
from cloudlet.cli.credentials import CredentialStore
from cloudlet.emulator.activation.activate import activate
from cloudlet.emulator.activation.cache import LicenseCache
from cloudlet.emulator.activation.machine import identify_machine
from cloudlet.emulator.activation.state import ActivationFailed

TOKEN_VARIABLES = ("LOCALSTACK_AUTH_TOKEN", "AUTH_TOKEN")
TOKEN_FILES = ("LOCALSTACK_AUTH_TOKEN_FILE", "AUTH_TOKEN_FILE")


def token_of(context: Context) -> str:
    """The token that a start on this machine would use: the environment's, a file's, or the stored one."""
    variables = context.command.variables
    for name in TOKEN_VARIABLES:
        if variables.get(name, "").strip():
            return variables[name].strip()
    for name in TOKEN_FILES:
        if variables.get(name, "").strip():
            try:
                return Path(variables[name].strip()).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError):
                return ""
    if variables.get("LOCALSTACK_API_KEY", "").strip():
        return ""
    return CredentialStore(context.command).token()


def write_secret(file: RecordFile, token: str) -> Path:
    """A file that only its owner reads. It stays while the container does, which reads it again when restarted."""
    file.secret.parent.mkdir(parents=True, exist_ok=True)
    file.secret.unlink(missing_ok=True)
    descriptor = os.open(file.secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write(token + "\n")
    return file.secret


def name_machine(context: Context) -> None:
    """Leave this machine's id in the volume, so that the container counts as the same machine."""
    path = Path(context.emulator.volume_dir) / "cache" / "machine.json"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"machine_id": identify_machine(context.emulator).id}), encoding="ascii")


def kept_license(context: Context) -> tuple[Path, Path] | None:
    """The license that this machine keeps and the public keys for it, as files; None when one of them is missing."""
    cache = LicenseCache(context.emulator)
    for path in (cache.installed_path, cache.license_path):
        if path.is_file() and cache.trust_path.is_file():
            return path, cache.trust_path
    return None


def activate_here(context: Context, token: str) -> None:
    """Fetch the license as a start on this machine would, where the control plane answers to this machine alone.

    Raises Failed with exit code 55. Without an answer the container has the last word, with what is kept.
    """
    settings = msgspec.structs.replace(context.emulator, auth_token=token, auth_token_file="")
    try:
        activate(settings, identify_machine(settings), say=lambda _line: None)
    except ActivationFailed as error:
        reason = error.failure
        if not reason.code.startswith("server."):
            raise Failed(reason.text(), code=reason.code, exit_code=LICENSE, actions=reason.advice()) from None
