"""`python -m cloudlet.control`: serve in this process, configured by environment variables.

Exit codes: 0 stopped, 1 a fault, 2 a setting that cannot be understood.
"""

from __future__ import annotations

import sys

from cloudlet.control.db import DatabaseUnavailable
from cloudlet.control.serve import AddressTaken, run
from cloudlet.control.vault import SecretKeyError
from cloudlet.settings import SettingError, read_platform_settings


def main() -> int:
    try:
        return run(read_platform_settings())
    except SettingError as error:
        sys.stderr.write(f"cloudlet: {error}\n")
        return 2
    except (AddressTaken, DatabaseUnavailable, SecretKeyError) as error:
        sys.stderr.write(f"cloudlet: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
