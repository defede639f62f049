"""Write docs/errors.md from `cloudlet.license.reasons`: every reason for which a license cannot be used.

python -m tools.reasons_page [--check]
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from cloudlet.license.reasons import ALL, GO_ON_WITHOUT, Reason

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "errors.md"

HEAD = f"""# License errors

*Made from `src/cloudlet/license/reasons.py` by `make generate`.*

When a start that has to be licensed cannot be, the emulator prints the reason, what to do, and a code, and ends with exit
code 55. The control plane and `cloudlet auth` use the same codes. What is in ⟨brackets⟩ is filled in. With every reason:
{GO_ON_WITHOUT}

`LICENSE_ERROR_FORMAT=json` prints one JSON line instead; `LOG_LICENSE_ISSUES=0` keeps license problems out of the log.

| code | reason | what to do |
|---|---|---|
"""


def shown(text: str) -> str:
    """A wording with its placeholders in brackets, fit for a table's cell."""
    filled = re.sub(r"(?<!\{)\{(\w+)\}", r"⟨\1⟩", text).replace("{{", "{").replace("}}", "}")
    return filled.replace("|", "\\|").replace("<", "&lt;")


def row(reason: Reason) -> str:
    advice = "<br>".join(shown(line) for line in reason.advice)
    return f'| <a id="{reason.code}"></a>`{reason.code}` | {shown(reason.texts[0])} | {advice} |'


def main(arguments: Sequence[str]) -> int:
    current = HEAD + "\n".join(row(reason) for reason in ALL) + "\n"
    if "--check" not in arguments:
        PAGE.write_text(current, encoding="utf-8")
        return 0
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != current:
        print("docs/errors.md is not what license/reasons.py says")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
