"""What `make lint` does: each check in turn, all of them even when one fails, and one line each at the end.

python -m tools.lint [name …]        only the checks named
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

CHECKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("ruff", ("-m", "ruff", "check", "--quiet", "--output-format=concise", ".")),
    ("format", ("-m", "ruff", "format", "--check", "--quiet", "--output-format=concise", ".")),
    ("mypy", ("-m", "mypy", "--no-error-summary")),
    ("layout", ("-m", "tools.check_layout")),
    ("api", ("-m", "tools.generate_api", "--check")),
    ("models", ("-m", "tools.generate_models", "--check")),
    ("fallback data", ("-m", "tools.generate_fallback", "--check")),
    ("settings page", ("-m", "tools.settings_page", "--check")),
    ("coverage page", ("-m", "tools.coverage_page", "--check")),
    ("errors page", ("-m", "tools.reasons_page", "--check")),
)
ADVICE = {  # never written
    "format": "run `make format`",
    "api": "run `make generate`",
    "models": "run `make generate`",
    "fallback data": "run `make generate`",
    "settings page": "run `make generate`",
    "coverage page": "run `make generate`",
    "errors page": "run `make generate`",
}


def run(name: str, arguments: Sequence[str]) -> bool:
    began = time.monotonic()
    finished = subprocess.run([sys.executable, *arguments], cwd=ROOT, check=False)
    verdict = "ok" if finished.returncode == 0 else f"FAILED: {ADVICE.get(name, 'see above')}"
    print(f"{name:<14} {time.monotonic() - began:5.1f} s  {verdict}", flush=True)
    return finished.returncode == 0


def main(names: Sequence[str]) -> int:
    chosen = [check for check in CHECKS if not names or check[0] in names]
    failed = [name for name, arguments in chosen if not run(name, arguments)]
    if failed:
        print(f"lint: {len(failed)} of {len(chosen)} checks failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
