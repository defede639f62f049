"""The image, built from a Debian that is made on the spot. Both are made once a run; the Debian is kept in `.cache/`."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

from cloudlet import __version__
from tests.conftest import ROOT
from tests.image.engine import Engine, NoEngine

BASE = "localhost/cloudlet-base"
IMAGE = "localhost/cloudlet"
POSTGRES = "localhost/cloudlet-postgres"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
PACKAGES = ("python3", "python3-venv", "bash", "curl", "ca-certificates", "tini")
LEFT_OUT = ("doc", "man", "locale", "info")
POSTGRES_SCRIPT = Path(__file__).with_name("postgres.sh")


def make_debian(packages: tuple[str, ...]) -> Path:
    """A tar file of the machine's Debian release with the packages. Raises NoEngine where it cannot be had."""
    release = codename()
    name = hashlib.sha256(repr((release, packages, LEFT_OUT)).encode()).hexdigest()[:12]
    path = ROOT / ".cache" / "image" / f"debian-{name}.tar"
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}.tar")
    command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(packages)}"]
    command += [f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in LEFT_OUT]
    command += ['--customize-hook=rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt', release, str(unfinished)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, stdin=subprocess.DEVNULL)
    if done.returncode:
        unfinished.unlink(missing_ok=True)
        raise NoEngine(f"mmdebstrap makes no Debian here: {(done.stderr.strip().splitlines() or ['?'])[-1][:200]}")
    unfinished.replace(path)
    return path


def codename() -> str:
    rows = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    if rows.get("ID", "").strip('"') != "debian":
        raise NoEngine("the base of the image is made from Debian's packages, and this machine is no Debian")
    return rows["VERSION_CODENAME"].strip('"')


def build_image(engine: Engine) -> None:
    """`docker/Dockerfile`, with the machine's network, certificates and package index."""
    settings = engine.folder / "pip.conf"
    lines = ["[global]"]
    if CERTIFICATES.exists():
        lines.append(f"cert = {CERTIFICATES}")
    if index := os.environ.get("PIP_INDEX_URL"):
        lines.append(f"index-url = {index}")
    settings.write_text("\n".join(lines) + "\n")
    cache = Path.home() / ".cache" / "pip"
    cache.mkdir(parents=True, exist_ok=True)
    volumes = [f"{settings}:/etc/pip.conf:ro", f"{cache}:/build/cache"]
    if CERTIFICATES.exists():
        volumes.append(f"{CERTIFICATES}:{CERTIFICATES}:ro")
    engine(
        *("build", "--network=host", "--format=docker", "--timestamp=0", "--file", "docker/Dockerfile"),
        *("--build-arg", f"BASE_IMAGE={BASE}", "--build-arg", f"VERSION={__version__}", "--build-arg", "REVISION=test"),
        *(f"--volume={volume}" for volume in volumes),
        *("--tag", IMAGE, str(ROOT)),
    )


def build_postgres(engine: Engine) -> None:
    """A PostgreSQL that is set up by the variables of the official image, as far as the compose file uses them."""
    engine("import", "--change=EXPOSE 5432", str(make_debian(("postgresql", "bash"))), f"{POSTGRES}-packages")
    made = engine("create", f"{POSTGRES}-packages", "true").stdout.strip()
    engine("cp", str(POSTGRES_SCRIPT), f"{made}:/usr/local/bin/postgres.sh")
    start = '--change=ENTRYPOINT ["bash", "/usr/local/bin/postgres.sh"]'
    engine("commit", "--quiet", start, "--change=CMD []", made, POSTGRES)
    engine("rm", made)
