"""`cloudlet trust`: let the programs of this machine trust the emulator's TLS certificates."""

from __future__ import annotations

import platform
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import click

from cloudlet.cli.context import Context, Failed, pass_context
from cloudlet.emulator.gateway.http.tls import ServerCertificates

NAME = "cloudlet-local-authority"
VARIABLES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")


class SystemStore(NamedTuple):
    """Where a system keeps the authorities that its programs trust. Commands are argument lists; `{}` is the PEM file.

    `folder`: the file is copied there first ("" = the command takes it as it is).
    """

    folder: str
    suffix: str
    add: tuple[str, ...]
    remove: tuple[str, ...]


STORES = (
    # Debian, Ubuntu, Alpine
    SystemStore(
        "/usr/local/share/ca-certificates", ".crt", ("update-ca-certificates",), ("update-ca-certificates", "--fresh")
    ),
    # Fedora, RHEL, Amazon Linux
    SystemStore(
        "/etc/pki/ca-trust/source/anchors", ".pem", ("update-ca-trust", "extract"), ("update-ca-trust", "extract")
    ),
    # Arch, openSUSE
    SystemStore("", "", ("trust", "anchor", "--store", "{}"), ("trust", "anchor", "--remove", "{}")),
)
MACOS = SystemStore(
    "",
    "",
    ("security", "add-trusted-cert", "-d", "-r", "trustRoot", "-k", "/Library/Keychains/System.keychain", "{}"),
    ("security", "remove-trusted-cert", "-d", "{}"),
)
WINDOWS = SystemStore(
    "", "", ("certutil", "-addstore", "-f", "Root", "{}"), ("certutil", "-delstore", "Root", "Cloudlet local authority")
)


@click.command()
@click.option("--env", "show_env", is_flag=True, help="Print export lines for this shell, and nothing else.")
@click.option("--install", "do_install", is_flag=True, help="Add the authority to the system's store (needs root).")
@click.option("--remove", "do_remove", is_flag=True, help="Take it out of the system's store again.")
@pass_context
def trust(context: Context, show_env: bool, do_install: bool, do_remove: bool) -> None:
    """Let programs trust the emulator's TLS certificates.

    The emulator signs them with an authority of this machine. Without an option
    this says where its certificate is and how programs are told of it; nothing
    is changed.

    \b
    Examples:
      cloudlet trust
      eval "$(cloudlet trust --env)"
      sudo cloudlet trust --install
    """
    if show_env + do_install + do_remove > 1:
        raise click.UsageError("--env, --install and --remove exclude each other.")
    certificate = authority_file(Path(context.emulator.volume_dir))
    data: dict[str, Any] = {"certificate": str(certificate), "variables": list(VARIABLES), "installed": None}
    if show_env:
        context.answer(data, "\n".join(f"export {name}={shlex.quote(str(certificate))}" for name in VARIABLES))
        return
    store = find_store(platform.system())
    if do_install or do_remove:
        change(store, certificate, install=do_install)
        data["installed"] = do_install
        context.answer(data, "The system trusts it now." if do_install else "The system does not trust it any more.")
        return
    context.answer(data, explanation(store, certificate))


def authority_file(volume: Path) -> Path:
    """The authority's certificate; it is made where the emulator has not made it yet."""
    folder = volume / "tls"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        ServerCertificates(folder).authority  # noqa: B018 - looking at it makes it
    except (OSError, ValueError) as error:
        raise Failed(f"The authority in {folder} cannot be read or made: {error}", code="trust.authority") from error
    return folder / "ca.pem"


def find_store(system: str, stores: tuple[SystemStore, ...] = STORES) -> SystemStore | None:
    """The store of this system (as `platform.system()` names it), None when its tools are not there."""
    if system == "Darwin":
        return MACOS
    if system == "Windows":
        return WINDOWS
    return next((store for store in stores if shutil.which(store.add[0])), None)


def change(store: SystemStore | None, certificate: Path, *, install: bool) -> None:
    """Run the system's own tool. Raises Failed with what it said."""
    if store is None:
        raise Failed(
            "No tool of a system store was found (update-ca-certificates, update-ca-trust, trust).",
            code="trust.store",
            actions=("Install the package ca-certificates.", 'Or tell single programs: eval "$(cloudlet trust --env)"'),
        )
    command = store.add if install else store.remove
    try:
        target = placed(store, certificate, install=install)
        arguments = [part.replace("{}", str(target)) for part in command]
        done = subprocess.run(arguments, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    except OSError as error:
        raise Failed(
            f"The system's store cannot be changed: {error}",
            code="trust.permission" if isinstance(error, PermissionError) else "trust.store",
            actions=("Run it as root: sudo cloudlet trust " + ("--install" if install else "--remove"),),
        ) from error
    if done.returncode != 0:
        raise Failed(
            f"`{shlex.join(arguments)}` ended with {done.returncode}.",
            code="trust.store",
            details=(done.stderr or done.stdout).strip(),
        )


def placed(store: SystemStore, certificate: Path, *, install: bool) -> Path:
    """The file that the store's tool looks at: copied to its folder, or taken away from there."""
    if not store.folder:
        return certificate
    target = Path(store.folder) / (NAME + store.suffix)
    if install:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(certificate.read_bytes())
    else:
        target.unlink(missing_ok=True)
    return target


def explanation(store: SystemStore | None, certificate: Path) -> str:
    lines = [
        "The emulator's certificates are signed by",
        f"  {certificate}",
        "",
        "For this shell (AWS CLI, boto3, requests, curl, Node.js):",
        '  eval "$(cloudlet trust --env)"',
        "",
        "For all programs that use the system's store:",
        install_line(certificate) if store else "  (no tool of such a store was found here)",
        "",
        "Firefox has a store of its own: Settings, Certificates, Authorities, Import.",
        f"Java: keytool -importcert -cacerts -alias {NAME} \\",
        f"        -file {certificate}",
        "",
        "Keep ca.key beside it to yourself: whoever has it can pass for any site.",
    ]
    return "\n".join(lines)


def install_line(certificate: Path) -> str:
    """Root has another home directory and another PATH."""
    volume = shlex.quote(str(certificate.parent.parent))
    return f'  sudo LOCALSTACK_VOLUME_DIR={volume} \\\n    "$(command -v cloudlet)" trust --install'
