"""What the user reads when the emulator does not start."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cloudlet.emulator.activation.state import EXIT_CODE, ActivationFailed
from cloudlet.license.reasons import Failure
from cloudlet.license.token import mask_text
from cloudlet.settings import Settings

if TYPE_CHECKING:
    from cloudlet.emulator.activation.licensed import Licenses

FRAME = f"Localstack returning with exit code {EXIT_CODE}. Reason: "


def failed(licenses: Licenses, why: Failure, spent: float) -> ActivationFailed:
    """Remember the failure, slow down a restart loop, and give what to raise."""
    effects, loops = licenses.effects, licenses.loops
    pause = loops.record(why, effects.now())
    effects.sleep(pause)
    return refuse(why, licenses.settings, spent=spent, paused=pause, failed_starts=len(loops.times(effects.now())))


def refuse(
    failure: Failure, settings: Settings, *, spent: float = 0.0, paused: float = 0.0, failed_starts: int = 0
) -> ActivationFailed:
    """The exception to raise, with the block in the form that the settings ask for.

    `spent`: seconds on the network; `paused`: seconds that a restart loop was slowed down by, after `failed_starts`
    failed starts in a minute.
    """
    if not settings.log_license_issues:
        block = FRAME + failure.code
    elif settings.license_error_format == "json":
        block = json_line(failure, settings, spent, paused, failed_starts)
    else:
        block = text_block(failure, settings)
    return ActivationFailed(failure, mask_text(block))


def text_block(failure: Failure, settings: Settings) -> str:
    lines = [FRAME, "License activation failed! 🔑❌", "", f"Reason: {failure.text()}", "", "What to do:"]
    lines += [f"- {line}" for line in failure.advice()]
    request = f"Request: {failure.request_id}  " if failure.request_id else ""
    lines += ["", f"Code: {failure.code}  {request}Docs: {failure.docs_url(settings.web_app_url)}"]
    return "\n".join(lines)


def json_line(failure: Failure, settings: Settings, spent: float, paused: float, failed_starts: int) -> str:
    return json.dumps(
        {
            "event": "license_activation_failed",
            "exit_code": EXIT_CODE,
            "code": failure.code,
            "reason": failure.text(),
            "what_to_do": list(failure.advice()),
            "request_id": failure.request_id,
            "spent_seconds": round(spent, 3),
            "budget_seconds": settings.license_timeout_seconds,
            "paused_seconds": paused,
            "failed_starts": failed_starts,
            "docs": failure.docs_url(settings.web_app_url),
        },
        ensure_ascii=False,
    )
