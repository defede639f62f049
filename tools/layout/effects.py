"""Time and randomness are inputs: an emulator on a frozen clock and a seed gives the same answers twice."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tools.layout.rule import Rule
from tools.layout.source import Finding, Source

# Where the real ones may be called: the seams that everything else takes as an argument.
SEAMS = ("src/cloudlet/emulator/effects/", "src/cloudlet/license/effects.py", "src/cloudlet/control/security.py")

CLOCKS = frozenset(
    {
        "time.time",
        "time.time_ns",
        "time.localtime",
        "time.gmtime",
        "time.strftime",
        "datetime.datetime.now",
        "datetime.datetime.utcnow",
        "datetime.datetime.today",
        "datetime.date.today",
    }
)
CHANCE = frozenset({"os.urandom", "uuid.uuid1", "uuid.uuid4", "uuid.uuid6", "uuid.uuid7", "uuid.getnode"})
CHANCE_MODULES = ("random.", "secrets.")
# What takes an explicit argument is no clock: time.gmtime(when), time.strftime(format, when).
WITH_ARGUMENT = {"time.gmtime": 1, "time.localtime": 1, "time.strftime": 2}


class Effects(Rule):
    name = "effects"
    advice = (
        "In a service use call.now and call.ids; elsewhere in the emulator take a Clock or Ids of emulator/effects; "
        "in license and control take license.effects.Effects. Time-outs may use time.monotonic()."
    )

    def check(self, source: Source) -> Iterator[Finding]:
        if source.path.startswith(SEAMS):
            return
        for node in source.find(ast.Call):
            if not isinstance(node, ast.Call):
                continue
            name = source.dotted(node.func)
            if name in WITH_ARGUMENT and len(node.args) >= WITH_ARGUMENT[name]:
                continue
            if name in CLOCKS:
                yield self.finding(source, node, f"{name}() reads the clock")
            elif name in CHANCE or (name.startswith(CHANCE_MODULES) and name != "secrets.compare_digest"):
                yield self.finding(source, node, f"{name}() draws by chance")
