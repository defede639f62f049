"""`/_localstack/diagnose` and `/_localstack/usage`, only with `DEBUG=1`; `/_localstack/stackinfo` and `licenseinfo`."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from cloudlet.emulator.gateway.internal.answers import json_answer
from cloudlet.emulator.gateway.internal.info import session_info
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse
from cloudlet.settings import shown_settings

if TYPE_CHECKING:
    from cloudlet.emulator.app import Emulator

TREE_DEPTH = 2
# LocalStack's names of features that are here, and the entitlement that opens each; "" for what every license has.
FEATURES = (("chaos", ""), ("pods", "pods"), ("snapshot", ""))


def get_diagnose(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """Everything that a bug report needs, secrets masked; 404 without `DEBUG=1`."""
    if not emulator.settings.debug:
        return HttpResponse(404)
    volume = Path(emulator.settings.volume_dir)
    return json_answer(
        {
            "version": {
                "image-version": {"id": "", "sha256": "", "tag": "", "created": ""},
                "localstack-version": {
                    "build-date": None,
                    "build-git-hash": None,
                    "build-version": emulator.version,
                },
                "host": {"kernel": " ".join(platform.uname()[:3])},
            },
            "info": session_info(emulator),
            "services": emulator.service_states(),
            "config": msgspec.to_builtins({**shown_settings(emulator.settings), **emulator.config_updates}),
            "docker-inspect": {},
            "docker-dependent-image-hosts": {},
            "docker-dependent-image-hashes": {},
            "file-tree": {str(volume): tree(volume, TREE_DEPTH)},
            "important-endpoints": {"localhost.localstack.cloud": emulator.settings.localstack_host},
            "logs": {"docker": ""},
            "usage": usage(emulator),
        }
    )


def tree(folder: Path, depth: int) -> list[str]:
    """Paths below a folder, down to a depth."""
    if not folder.is_dir():
        return []
    found = []
    for path in sorted(folder.iterdir()):
        found.append(str(path))
        if path.is_dir() and depth > 1:
            found += tree(path, depth - 1)
    return found


def get_usage(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """Counters since the start; 404 without `DEBUG=1`."""
    if not emulator.settings.debug:
        return HttpResponse(404)
    return json_answer(usage(emulator))


def usage(emulator: Emulator) -> dict[str, Any]:
    states = emulator.service_states()
    return {
        "api_calls": {"success": emulator.journal.success_count, "error": emulator.journal.error_count},
        "services": sorted(name for name, state in states.items() if state == "running"),
        "fallback_services": sorted(emulator.dispatcher.fallback.used),
    }


def get_stackinfo(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """Session, machine, and how many API calls it has answered. Exactly twelve keys."""
    running = [name for name, state in emulator.service_states().items() if state == "running"]
    now = emulator.clock.wall()
    return json_answer(
        {
            "server_time_utc": emulator.clock.iso_seconds(now),
            "session_id": emulator.session_id,
            "api_key": str(shown_settings(emulator.settings)["LOCALSTACK_API_KEY"]),
            "system": emulator.machine.system,
            "version": emulator.version,
            "is_ci": emulator.settings.ci,
            "is_docker": emulator.machine.is_docker,
            "duration_in_seconds": int(now - emulator.started_at),
            "top_user_agent": request.headers.get("user-agent", ""),
            "number_of_services": len(running),
            "number_of_api_calls_success": emulator.journal.success_count,
            "number_of_api_calls_error": emulator.journal.error_count,
        }
    )


def get_licenseinfo(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """What the active license opens; 404 without a body where none is active, as clients expect."""
    activation = emulator.activation
    if not activation.is_license_activated:
        return HttpResponse(404)
    services = [name for name, state in emulator.service_states().items() if state != "disabled"]
    features = [plugin for plugin, feature in FEATURES if not feature or activation.has(feature)]
    return json_answer(
        {
            "available_plugins": [
                *(f"localstack.platform.plugin/{plugin}" for plugin in features),
                *(f"localstack.aws.provider/{name}:pro" for name in services),
            ],
            "edition": activation.edition,
            "plan": activation.plan,
            "entitlements": [name for name, _limit in activation.entitlements],
        }
    )
