"""The page that explains every error code: `/docs/errors#license.expired`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from litestar import get
from litestar.params import FromQuery
from litestar.response import Template

from cloudlet.control.error_codes import ErrorCode, error_codes, noun_of
from cloudlet.control.given import ThePlatform
from cloudlet.control.pages import page
from cloudlet.control.permissions import PUBLIC, requires
from cloudlet.license.explain import Explanation, VerdictExplanation, explanations, verdict_explanations

Entry = TypeVar("Entry", Explanation, ErrorCode, VerdictExplanation)


@get("/docs/errors", opt=requires(PUBLIC), sync_to_thread=False)
def show_errors(platform: ThePlatform, q: FromQuery[str] = "") -> Template:
    """An anchor for each code, so that every error can link to it; `q` looks for words in all of it."""
    words = q.lower().split()[:8]
    reasons = [one for one in explanations(platform.settings.base_url) if fits(words, one.code, one.text, *one.advice)]
    verdicts = [one for one in verdict_explanations() if fits(words, one.code, one.message, one.text)]
    explained = {one.code for one in reasons}
    codes = [one for one in error_codes() if one.code not in explained and fits(words, one.code, one.meaning, one.hint)]
    return page(
        "errors.html",
        search=q[:100],
        reasons=grouped(reasons),
        verdicts=verdicts,
        codes=grouped(codes),
        count=len(reasons) + len(verdicts) + len(codes),
    )


def fits(words: list[str], *texts: str) -> bool:
    whole = "\n".join(texts).lower()
    return all(word in whole for word in words)


def grouped(entries: Iterable[Entry]) -> list[tuple[str, list[Entry]]]:
    """Those of one noun together, in the order in which the nouns first come."""
    found: dict[str, list[Entry]] = {}
    for one in entries:
        found.setdefault(noun_of(one.code), []).append(one)
    return list(found.items())


ROUTES = (show_errors,)
