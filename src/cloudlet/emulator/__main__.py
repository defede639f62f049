"""`python -m cloudlet.emulator`: serve in this process, configured by environment variables.

Exit codes: 0 stopped, 1 a fault, 2 a setting that cannot be understood, 55 the license was refused.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys

from cloudlet.emulator.activation.state import ActivationFailed
from cloudlet.emulator.app import create_emulator
from cloudlet.emulator.gateway.http.server import ListenError
from cloudlet.emulator.gateway.journal import configure_logging
from cloudlet.emulator.store.kv import StoreError
from cloudlet.settings import SettingError, Settings, read_remarks, read_settings

try:
    from uvloop import new_event_loop
except ImportError:  # platforms without uvloop: asyncio serves the same, slower
    from asyncio import new_event_loop  # type: ignore[assignment]


LOG = logging.getLogger("cloudlet")


async def serve(settings: Settings) -> bool:
    return await create_emulator(settings).run()


def main() -> int:
    try:
        settings = read_settings()
    except SettingError as error:
        sys.stderr.write(f"cloudlet: {error}\n")
        return 2
    configure_logging(settings.log_level, (settings.auth_token, settings.api_key))
    for remark in read_remarks():
        LOG.warning("%s", remark)
    runner = asyncio.Runner(loop_factory=new_event_loop)
    try:
        with runner:
            restart = runner.run(serve(settings))
    except ActivationFailed as failure:
        sys.stdout.write(failure.block + "\n")
        return failure.exit_code
    except (ListenError, StoreError) as error:
        sys.stderr.write(f"cloudlet: {error}\n")
        return 1
    if restart:
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, "-m", "cloudlet.emulator"])  # noqa: S606
    return 0


if __name__ == "__main__":
    sys.exit(main())
