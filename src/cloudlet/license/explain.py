"""The reasons in words without values, for the control plane's page `/docs/errors`."""

from __future__ import annotations

import msgspec

from cloudlet.license.reasons import ALL, Reason

# Placeholders in the words of someone who explains.
SAMPLE = (
    ("variable", "LOCALSTACK_AUTH_TOKEN"),
    ("n", "N"),
    ("web", "<control plane>"),
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


def explanations() -> tuple[Explanation, ...]:
    return tuple(explain(reason) for reason in ALL)


def explain(reason: Reason) -> Explanation:
    return Explanation(
        reason.code,
        worded(reason.texts[0]),
        tuple(worded(line) for line in reason.advice),
        not reason.is_final,
    )


def worded(text: str) -> str:
    names = dict(SAMPLE)
    return text.format_map(Words(names))


class Words(dict[str, str]):
    """Names without a sample stand for themselves."""

    def __missing__(self, name: str) -> str:
        return f"<{name}>"
