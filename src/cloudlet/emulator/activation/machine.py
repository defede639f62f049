"""Who this machine is, for `/_localstack/info` and for the license server."""

from __future__ import annotations

import hashlib
import json
import platform
import re
from pathlib import Path

import msgspec

from cloudlet.license.effects import SYSTEM, Effects
from cloudlet.settings import Settings

MACHINE_ID = re.compile(r"(?:dkr|sys|gen)_[0-9a-f]{12}")
CONTAINER_ID = re.compile(r"/(?:docker|libpod|containers|kubepods)[^\s]*?([0-9a-f]{64})")
SYSTEM_IDS = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))
CGROUPS = (Path("/proc/self/mountinfo"), Path("/proc/self/cgroup"))


class Machine(msgspec.Struct, frozen=True):
    """`id` is `dkr_…` in a container, `sys_…` from the system's machine id, else `gen_…` kept in the volume's cache.

    `system` is `Linux,6.1.0,x86_64`: name, release, architecture. Both appear in `/_localstack/info`.
    """

    id: str
    system: str
    hostname: str
    is_docker: bool


def identify_machine(settings: Settings, effects: Effects = SYSTEM) -> Machine:
    """This machine; cheap (reads a file or two), never fails.

    An id that the command line or an earlier start left in the volume wins, so that host and container are one machine.
    """
    folder = Path(settings.volume_dir or settings.temporary_dir) / "cache"
    machine_id = (
        stored_id(folder / "machine.json")
        or (container_id() if settings.in_container else "")
        or system_id()
        or generated_id(folder / "machine.json", effects)
    )
    node = platform.uname()
    return Machine(machine_id, f"{node.system},{node.release},{node.machine}", node.node, settings.in_container)


def stored_id(path: Path) -> str:
    """From `{"machine_id": "…"}`; "" when there is none."""
    try:
        found = str(json.loads(path.read_bytes())["machine_id"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return found if MACHINE_ID.fullmatch(found) else ""


def container_id() -> str:
    """From the container's id, else from its host name (which is that id's beginning by default)."""
    for path in CGROUPS:
        found = CONTAINER_ID.search(read_text(path))
        if found:
            return "dkr_" + digest("container:" + found[1])
    name = platform.node()
    return "dkr_" + digest("container:" + name) if name else ""


def system_id() -> str:
    """From the system's machine id, hashed: that id itself is meant to stay on the machine."""
    for path in SYSTEM_IDS:
        found = read_text(path).strip()
        if found:
            return "sys_" + digest("system:" + found)
    return ""


def generated_id(path: Path, effects: Effects) -> str:
    """A random one, kept for the next start where the volume can be written.

    Of starts at the same time the first gives the id to all: a link is made whole and only once.
    """
    machine_id = "gen_" + effects.random_bytes(6).hex()
    unfinished = path.with_name(f".{path.name}.{machine_id}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(json.dumps({"machine_id": machine_id}), encoding="ascii")
        try:
            path.hardlink_to(unfinished)
        except FileExistsError:
            kept = stored_id(path)
            if not kept:
                unfinished.replace(path)  # what is there is no id
            machine_id = kept or machine_id
        except OSError:
            unfinished.replace(path)  # a file system without links
        unfinished.unlink(missing_ok=True)
    except OSError:
        return machine_id
    return machine_id


def read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def digest(text: str) -> str:
    return hashlib.sha256(b"cloudlet " + text.encode()).hexdigest()[:12]
