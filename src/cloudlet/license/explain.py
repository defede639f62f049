"""The reasons in words without values, for the control plane's page `/docs/errors`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from cloudlet.license.reasons import ALL, REASONS, Reason
from cloudlet.license.verdicts import ALL as VERDICTS

# Placeholders in the words of someone who explains.
SAMPLE = (
    ("variable", "LOCALSTACK_AUTH_TOKEN"),
    ("n", "N"),
    ("api", "<API_ENDPOINT>"),
    ("path", "<path>"),
    ("trust", "trust.json beside it"),
)


YOU = "you"
ADMIN = "an admin of your workspace"
NETWORK = "you, or whoever runs your network"
OPERATOR = "whoever runs the control plane"
WHO: Mapping[str, str] = MappingProxyType(
    {
        "credentials.invalid": YOU,
        "credentials.expired": YOU,
        "license.product": YOU,
        "license.version": YOU,
        "license.not_found": YOU,
        "license.machine": ADMIN,
        "request.format": YOU,
        "ci.token_required": YOU,
        "clock.skew": YOU,
        "server.error": OPERATOR,
        "server.rate_limited": YOU,
        "server.connect": "you, your network, or whoever runs the control plane",
        "server.timeout": "you, your network, or whoever runs the control plane",
    }
)
BY_NATURE: Mapping[str, str] = MappingProxyType({"verdict": ADMIN, "network": NETWORK})


class Explanation(msgspec.Struct, frozen=True):
    """`advice` has a bullet for each thing to do, `who` can do it."""

    code: str
    text: str
    advice: tuple[str, ...]
    may_start_offline: bool
    who: str


class VerdictExplanation(msgspec.Struct, frozen=True):
    """A code of the license API: `message` is what LocalStack's clients are told, `reason` where it is explained."""

    code: str
    status: int
    message: str
    reason: str
    text: str


def explanations(web: str) -> tuple[Explanation, ...]:
    """`web` is the control plane's address, which sentences name."""
    return tuple(explain(reason, web) for reason in ALL)


def explain(reason: Reason, web: str) -> Explanation:
    names = Words({**dict(SAMPLE), "web": web})
    return Explanation(
        reason.code,
        reason.texts[0].format_map(names),
        tuple(line.format_map(names) for line in reason.advice),
        not reason.is_final,
        who_can_fix(reason),
    )


def who_can_fix(reason: Reason) -> str:
    return WHO.get(reason.code) or BY_NATURE.get(reason.nature, YOU)


def verdict_explanations() -> tuple[VerdictExplanation, ...]:
    """Every code that the license API answers with."""
    return tuple(
        VerdictExplanation(
            verdict.code,
            verdict.status,
            verdict.message.format_map(Words({})),
            verdict.reason,
            REASONS[verdict.reason].texts[-1].format_map(Words(dict(SAMPLE))),
        )
        for verdict in VERDICTS
    )


class Words(dict[str, str]):
    """Names without a sample stand for themselves."""

    def __missing__(self, name: str) -> str:
        return f"<{name}>"
