"""What `make generate` does: everything that is made from something else.

service models        from botocore, into the package's compact form
services/*/api.py     types and errors, from botocore and the manifests
fallback/data         which operations the fallback has, from moto's code
docs/configuration.md     the tables of variables, from settings.py
docs/services/README.md   what works, from the manifests
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STEPS = (
    ("-m", "tools.generate_models"),
    ("-m", "tools.generate_api"),
    ("-m", "tools.generate_fallback"),
    ("-m", "tools.settings_page"),
    ("-m", "tools.coverage_page"),
    ("-m", "tools.reasons_page"),
)


def main() -> int:
    for step in STEPS:
        print("+", *step, flush=True)
        finished = subprocess.run([sys.executable, *step], cwd=ROOT, check=False)
        if finished.returncode:
            return finished.returncode
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
