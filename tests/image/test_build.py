"""What is in the image, and how large it is."""

from __future__ import annotations

import json
import subprocess
import zlib

import pytest

from cloudlet import __version__
from tests.conftest import ROOT
from tests.image.engine import Engine

pytestmark = [pytest.mark.image, pytest.mark.timeout(900)]

LARGEST_BYTES = 200 * 1024 * 1024
NOT_COMPILED = """
import pathlib, sysconfig
site = pathlib.Path(sysconfig.get_path("purelib"))
for path in site.rglob("*.py"):
    if not list((path.parent / "__pycache__").glob(path.stem + ".*.pyc")):
        print(path)
"""


def run(engine: Engine, image: str, *command: str) -> str:
    return engine("run", "--rm", "--entrypoint", command[0], image, *command[1:]).stdout


def test_it_is_smaller_than_200_megabytes_compressed(engine: Engine, image: str) -> None:
    saving = subprocess.Popen(["podman", "save", image], env=engine.environment, stdout=subprocess.PIPE)
    assert saving.stdout is not None
    packer = zlib.compressobj(6, wbits=31)
    size = 0
    while block := saving.stdout.read(1 << 20):
        size += len(packer.compress(block))
    saving.stdout.close()
    assert saving.wait() == 0
    print(f"\nThe image with its base: {size / 1e6:.0f} MB compressed")
    assert size < LARGEST_BYTES


def test_what_engines_read_of_it(engine: Engine, image: str) -> None:
    found = engine.inspect(image)
    config = found["Config"]
    assert config["User"] == "1000:0"
    assert config["Entrypoint"] == ["docker-entrypoint.sh"]
    assert set(config["Volumes"]) == {"/var/lib/localstack"}
    ports = set(config["ExposedPorts"])
    assert {"4566/tcp", "443/tcp"} <= ports
    assert {"4510/tcp", "4559/tcp"} <= ports or "4510-4559/tcp" in ports  # not every builder resolves a range
    assert "ACTIVATE_PRO=1" in config["Env"]
    assert (found.get("Healthcheck") or config["Healthcheck"])["Test"] == ["CMD", "healthcheck"]
    labels = config["Labels"]
    assert labels["org.opencontainers.image.title"] == "Cloudlet"
    assert labels["org.opencontainers.image.version"] == __version__
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"


def test_every_program_that_clients_look_for_is_there(engine: Engine, image: str) -> None:
    wanted = (
        "bash",
        "curl",
        "python3",
        "aws",
        "awslocal",
        "localstack",
        "cloudlet",
        "/usr/local/bin/docker-entrypoint.sh",
    )
    for name in wanted:
        run(engine, image, "bash", "-c", f"command -v {name}")
    assert __version__ in run(engine, image, "localstack", "--version")


def test_the_init_folders_are_there(engine: Engine, image: str) -> None:
    folders = run(engine, image, "ls", "/etc/localstack", "/etc/localstack/init").split()
    assert {"conf.d", "boot.d", "start.d", "ready.d", "shutdown.d"} <= set(folders)


def test_everything_is_compiled(engine: Engine, image: str) -> None:
    assert run(engine, image, "python3", "-c", NOT_COMPILED) == ""


def test_no_installer_and_no_compiler_is_in_it(engine: Engine, image: str) -> None:
    found = run(engine, image, "bash", "-c", "ls /opt/cloudlet/bin; command -v pip gcc make || true").split()
    assert not {"pip", "pip3", "gcc", "make"} & set(found)


def test_the_bill_of_materials_lists_every_package(engine: Engine, image: str) -> None:
    document = json.loads(run(engine, image, "cat", "/opt/cloudlet/share/sbom.cdx.json"))
    assert document["bomFormat"] == "CycloneDX"
    assert document["metadata"]["component"]["name"] == "cloudlet"
    purls = {component["purl"] for component in document["components"]}
    names = {purl.partition("@")[0] for purl in purls}
    for name in (ROOT / "docker" / "image.packages").read_text().split():
        assert f"pkg:pypi/{name}" in names
    assert "pkg:deb/debian/bash" in names
    packages = [component for component in document["components"] if component["purl"].startswith("pkg:pypi")]
    assert all(component["hashes"] for component in packages)
