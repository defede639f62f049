"""The steps of `cloudlet license doctor`. Each is a dictionary: name, ok, found, fix ("" when nothing is to be done)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cloudlet.emulator.activation.clock import SKEW_SECONDS, moment
from cloudlet.emulator.activation.licensed import Licenses
from cloudlet.emulator.activation.online import make_client, shown_proxy
from cloudlet.license.client import LicenseUnreachable
from cloudlet.license.envelope import EnvelopeRefused
from cloudlet.license.token import find_key_problem, mask
from cloudlet.settings import Settings

# The order in which a request passes them; a failure at one says that those before it worked.
WAY = (
    ("Name", ("server.dns",)),
    ("Connection", ("server.connect", "server.timeout")),
    ("TLS", ("server.tls",)),
    ("Proxy", ("server.proxy_auth",)),
    ("Server", ("server.intercepted", "server.error", "server.rate_limited")),
)


def step(name: str, ok: bool, found: str, fix: str = "") -> dict[str, Any]:
    return {"name": name, "ok": ok, "found": found, "fix": "" if ok else fix}


def examine(settings: Settings, licenses: Licenses, token: str, source: str) -> list[dict[str, Any]]:
    """Asks `/license/ping` only: no license is used, no CI credit is spent."""
    return [*examine_token(settings, token, source), *examine_way(settings, licenses), *examine_cache(licenses)]


def examine_token(settings: Settings, token: str, source: str) -> list[dict[str, Any]]:
    if not token:
        return [step("Token", False, "none", f"cloudlet auth set-token <TOKEN>; {settings.web_app_url}")]
    problem = find_key_problem(token, variable="The token", web=settings.web_app_url)
    found = [step("Token", True, f"{mask(token)} from {source}")]
    return [*found, step("Form", problem is None, problem.text() if problem else "correct", first(problem))]


def examine_way(settings: Settings, licenses: Licenses) -> list[dict[str, Any]]:
    client = make_client(licenses)
    proxy = shown_proxy(settings, client.route)
    via = f"{settings.api_endpoint}" + (f" through {proxy}" if proxy else "")
    try:
        data = client.ping()
    except LicenseUnreachable as error:
        found: list[dict[str, Any]] = []
        for name, codes in WAY:
            if error.failure.code in codes:
                return [*found, step(name, False, error.failure.text(), first(error.failure))]
            found.append(step(name, True, via))
        return [step("Server", False, error.failure.text(), first(error.failure))]
    skew = clock_skew(str(data.get("time", "")), licenses.effects.now())
    return [
        *(step(name, True, via) for name, _ in WAY),
        step("Clock", abs(skew) <= SKEW_SECONDS, f"{skew:+.0f} s from the server's", "Set the clock (NTP)."),
    ]


def examine_cache(licenses: Licenses) -> list[dict[str, Any]]:
    try:
        found = licenses.find(licenses.trusted())
    except EnvelopeRefused as error:
        return [step("License", False, error.problem, "Correct LICENSE_TRUST_KEYS.")]
    if found.usable is not None:
        until = moment(found.usable.claims.ra)
        return [step("License", True, f"{found.usable.claims.plan} from {found.path}, offline until {until}")]
    why = found.clock_problem or found.given_problem or found.problem
    text = why.text() if why else "stale" if found.known else "none on this machine yet"
    return [step("License", False, text, first(why) or "cloudlet license activate")]


def clock_skew(server: str, now: float) -> float:
    try:
        return now - datetime.fromisoformat(server).timestamp()
    except ValueError:
        return 0.0


def first(why: Any) -> str:
    """The first thing to do about a failure."""
    return str(why.advice()[0]) if why is not None else ""
