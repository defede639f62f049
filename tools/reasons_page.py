"""Write docs/errors.md from the data of the page `/docs/errors`: every reason, verdict and code of the control plane.

python -m tools.reasons_page [--check]
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from cloudlet.control.error_codes import ErrorCode, error_codes
from cloudlet.license.explain import VerdictExplanation, verdict_explanations, who_can_fix
from cloudlet.license.reasons import ALL, GO_ON_WITHOUT, Reason

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "errors.md"

HEAD = f"""# Errors

*Made from `license/reasons.py`, `license/verdicts.py` and the refusals of `control/` by `make generate`.* The control plane
shows the same on `/docs/errors`, and every error of its APIs links there.

## Starting an emulator

When a start that has to be licensed cannot be, the emulator prints the reason, what to do, and a code, and ends with exit
code 55. The control plane and `cloudlet auth` use the same codes. What is in ⟨brackets⟩ is filled in. With every reason:
{GO_ON_WITHOUT}

`LICENSE_ERROR_FORMAT=json` prints one JSON line instead; `LOG_LICENSE_ISSUES=0` keeps license problems out of the log.

| code | reason | what to do | who can fix it |
|---|---|---|---|
"""
VERDICTS_HEAD = """
## Answers of the license API

`code` in a body of `/v1/license/…`; `message` is what older clients know.

| code | status | message | reason |
|---|---|---|---|
"""
CODES_HEAD = """
## Pages and APIs

| code | status | meaning | what to do | who can fix it |
|---|---|---|---|---|
"""


def shown(text: str) -> str:
    """A wording with its placeholders in brackets, fit for a table's cell."""
    filled = re.sub(r"(?<!\{)\{(\w+)\}", r"⟨\1⟩", text).replace("{{", "{").replace("}}", "}")
    return filled.replace("|", "\\|").replace("<", "&lt;")


def row(reason: Reason) -> str:
    advice = "<br>".join(shown(line) for line in reason.advice)
    return f"| {anchor(reason.code)} | {shown(reason.texts[0])} | {advice} | {who_can_fix(reason)} |"


def verdict_row(verdict: VerdictExplanation) -> str:
    message = verdict.message.replace("<", "&lt;")
    return f"| {anchor(verdict.code)} | {verdict.status} | `{message}` | [{verdict.reason}](#{verdict.reason}) |"


def code_row(code: ErrorCode) -> str:
    return f"| {anchor(code.code)} | {code.status} | {shown(code.meaning)} | {shown(code.hint)} | {code.who} |"


def anchor(code: str) -> str:
    return f'<a id="{code}"></a>`{code}`'


def make_page() -> str:
    """The whole page."""
    importlib.import_module("cloudlet.control.app")  # lazy: it loads the areas, whose refusals are looked for
    explained = {reason.code for reason in ALL}
    return "".join(
        (
            HEAD + "\n".join(row(reason) for reason in ALL) + "\n",
            VERDICTS_HEAD + "\n".join(map(verdict_row, verdict_explanations())) + "\n",
            CODES_HEAD + "\n".join(code_row(code) for code in error_codes() if code.code not in explained) + "\n",
        )
    )


def main(arguments: Sequence[str]) -> int:
    current = make_page()
    if "--check" not in arguments:
        PAGE.write_text(current, encoding="utf-8")
        return 0
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != current:
        print("docs/errors.md is not what the code says; run: make generate")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
