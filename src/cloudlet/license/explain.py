"""The reasons in words without values, for the control plane's page `/docs/errors`."""

from __future__ import annotations

import msgspec

from cloudlet.license.reasons import ALL, Reason

# Placeholders in the words of someone who explains.
SAMPLE = (
    ("variable", "LOCALSTACK_AUTH_TOKEN"),
    ("n", "N"),
    ("api", "<API_ENDPOINT>"),
    ("path", "<path>"),
    ("trust", "trust.json beside it"),
)


class Explanation(msgspec.Struct, frozen=True):
    """`advice` has a bullet for each thing to do."""

    code: str
    text: str
    advice: tuple[str, ...]
    may_start_offline: bool


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
    )


class Words(dict[str, str]):
    """Names without a sample stand for themselves."""

    def __missing__(self, name: str) -> str:
        return f"<{name}>"
