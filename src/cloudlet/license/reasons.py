"""Every reason for which a license cannot be used: a stable code, a sentence, what to do.

    credentials.*   what the user gave us               license.*   the license itself
    membership.*    the user's place in the workspace   server.*    the way to the license server, and its faults
    ci.* machine.*  rules of the workspace              clock.*     this machine's time

A reason has several wordings, the most specific first; the first whose values are all known is used. `Failure` is a
reason with its values; `verdicts` maps the license server's codes to reasons.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import msgspec

LICENSE_EXIT_CODE = 55

Nature = Literal["credentials", "verdict", "document", "network", "clock"]

CHECK_VARIABLE = "Check the value of LOCALSTACK_AUTH_TOKEN (or LOCALSTACK_API_KEY); your token is on the Auth Token page: {web}/workspace/auth-tokens"
CHECK_MY_LICENSE = "Open My License to see which license you hold and why: {web}/workspace/my-license"
CHECK_NETWORK = "Check that this machine reaches {api}, or set API_ENDPOINT (it ends in /v1)."
GO_ON_WITHOUT = "Set ACTIVATE_PRO=0 to go on without licensed features."


class Reason(msgspec.Struct, frozen=True):
    """`nature` decides what may follow: a network reason allows offline activation, a verdict is final.

    `texts`: wordings, most specific first. `advice`: bullets of "What to do".
    """

    code: str
    nature: Nature
    texts: tuple[str, ...]
    advice: tuple[str, ...] = ()

    @property
    def is_final(self) -> bool:
        """A definitive no: nothing cached may stand in for it."""
        return self.nature != "network"


def reason(code: str, nature: Nature, *texts: str, advice: tuple[str, ...] = ()) -> Reason:
    return Reason(code, nature, texts, advice)


ALL = (
    reason(
        "credentials.missing",
        "credentials",
        "No credentials found. Set LOCALSTACK_AUTH_TOKEN (or LOCALSTACK_API_KEY), or run"
        " `localstack auth set-token <TOKEN>`. Your token is on the Auth Token page: {web}/workspace/auth-tokens",
        "No credentials found. Set LOCALSTACK_AUTH_TOKEN (or LOCALSTACK_API_KEY), or run"
        " `localstack auth set-token <TOKEN>`.",
        advice=("Copy your token from the Auth Token page: {web}/workspace/auth-tokens",),
    ),
    reason(
        "credentials.format",
        "credentials",
        "{variable} does not look like an auth token ({n} characters, expected `ls-` plus 36)."
        " Check for missing characters, quotes or line breaks.",
        "The credentials do not look like an auth token. Check for missing characters, quotes or line breaks.",
        advice=(CHECK_VARIABLE,),
    ),
    reason(
        "credentials.checksum",
        "credentials",
        "The token contains a typing or copying error (checksum does not match)."
        " Copy it again from {web}/workspace/auth-tokens",
        "The token contains a typing or copying error (checksum does not match). Copy it again.",
        advice=(CHECK_VARIABLE,),
    ),
    reason(
        "credentials.placeholder",
        "credentials",
        '{variable} holds a placeholder ("<YOUR_AUTH_TOKEN>" / "${{…}}"), not a token.',
        'The variable holds a placeholder ("<YOUR_AUTH_TOKEN>" / "${{…}}"), not a token.',
        advice=(
            "In docker compose, write LOCALSTACK_AUTH_TOKEN: ${{LOCALSTACK_AUTH_TOKEN:?}} and export the variable before.",
            CHECK_VARIABLE,
        ),
    ),
    reason(
        "credentials.conflict",
        "credentials",
        "LOCALSTACK_AUTH_TOKEN and LOCALSTACK_API_KEY hold different values. Keep one.",
        advice=("Unset one of the two variables; LOCALSTACK_AUTH_TOKEN is the newer one.",),
    ),
    reason(
        "credentials.file",
        "credentials",
        "The token file {path} (LOCALSTACK_AUTH_TOKEN_FILE) cannot be read: {problem}.",
        "The token file cannot be read.",
        advice=("Check that the secret is mounted and that this process may read it.",),
    ),
    reason(
        "credentials.invalid",
        "verdict",
        "The credentials defined in your environment are invalid: this token was reset on {date}. Set"
        " LOCALSTACK_AUTH_TOKEN to a valid auth token, or LOCALSTACK_API_KEY to a valid API key.",
        "The credentials defined in your environment are invalid: the server does not know this token. Set"
        " LOCALSTACK_AUTH_TOKEN to a valid auth token, or LOCALSTACK_API_KEY to a valid API key.",
        advice=(CHECK_VARIABLE, "Old tokens can not be restored after a reset; use the new one everywhere."),
    ),
    reason(
        "credentials.expired",
        "verdict",
        "This token expired on {date}; create a new one.",
        "This token has expired; create a new one.",
        advice=(CHECK_VARIABLE,),
    ),
    reason(
        "membership.removed",
        "verdict",
        'You are no longer a member of workspace "{ws}".',
        "You are no longer a member of this workspace.",
        advice=("Ask an admin of the workspace to invite you again, or use the token of another workspace.",),
    ),
    reason(
        "license.not_assigned",
        "verdict",
        'No license is assigned to {user} in workspace "{ws}". You do have one in "{ws2}": use that workspace\'s token.',
        'No license is assigned to {user} in workspace "{ws}". Ask an admin ({admins}) to assign one on Users & Licenses.',
        'Workspace "{ci_ws}" has no subscription, so its CI keys open nothing. Start the trial or choose a plan.',
        "No license is assigned to you. Ask an admin of the workspace to assign one on Users & Licenses.",
        advice=(CHECK_MY_LICENSE, "An admin assigns licenses here: {web}/workspace/members"),
    ),
    reason(
        "license.expired",
        "verdict",
        'The {days}-day trial of workspace "{ws}" ended on {date}.',
        'The license of workspace "{ws}" expired on {date}.',
        "The license has expired.",
        advice=(CHECK_MY_LICENSE, "Renew on the Subscriptions page: {web}/workspace/subscriptions"),
    ),
    reason(
        "license.suspended",
        "verdict",
        "The license is suspended ({why}).",
        "The license is suspended.",
        advice=(CHECK_MY_LICENSE,),
    ),
    reason(
        "license.not_found",
        "verdict",
        "The license server does not know this license any more.",
        advice=(CHECK_MY_LICENSE, "Restart once with a connection to the license server to fetch the current license."),
    ),
    reason(
        "license.product",
        "verdict",
        "The license does not cover {product} (it covers {range}).",
        "The license does not cover this product.",
        advice=(CHECK_MY_LICENSE,),
    ),
    reason(
        "license.version",
        "verdict",
        "The license does not cover version {v} (it covers {range}).",
        "The license does not cover this version.",
        advice=(CHECK_MY_LICENSE, "Use a version that the license covers, or renew the license."),
    ),
    reason(
        "license.entitlement",
        "verdict",
        "The service {service} is not part of the {plan} plan; the {needed} plan opens it.",
        "This service is not part of the plan that the emulator was activated with.",
        advice=(CHECK_MY_LICENSE, "Choose a plan that opens it: {web}/workspace/subscriptions"),
    ),
    reason(
        "license.signature",
        "document",
        "The license file at {path} was changed or was made by another server (key {kid}). Remove it or fetch a new one.",
        "The license that {server} sent was changed on the way or was made by another server (key {kid}).",
        "The license was changed or was made by another server.",
        advice=("If the license server got new keys on purpose, remove {trust} and restart.",),
    ),
    reason(
        "license.format",
        "document",
        "The license file at {path} is not a license ({problem}).",
        "The license is damaged ({problem}).",
        "The license is damaged.",
        advice=("Remove the file and restart with a connection to the license server.",),
    ),
    reason(
        "license.other_token",
        "document",
        "The license file at {path} belongs to another token.",
        "The license belongs to another token.",
        advice=("Remove the file, or use the token that it was issued for.",),
    ),
    reason(
        "license.machine",
        "document",
        "The license file at {path} belongs to another machine than {machine}.",
        "The license belongs to another machine.",
        advice=("Make a request file on this machine (`cloudlet license request`) and issue a license file for it.",),
    ),
    reason(
        "license.not_yet_valid",
        "document",
        "The license is valid from {date} on; this machine's clock says {now}.",
        "The license is not valid yet.",
        advice=("Check this machine's clock.",),
    ),
    reason(
        "license.stale",
        "document",
        "Offline activation is no longer possible: last contact {t} ({h} h ago), allowed {w} h."
        " Connect to {api} once and restart. ({cause})",
        "Offline activation is no longer possible: last contact {t} ({h} h ago), allowed {w} h."
        " Connect to {api} once and restart.",
        "Offline activation is no longer possible. Connect to the license server once and restart.",
        advice=(CHECK_NETWORK,),
    ),
    reason(
        "server.dns",
        "network",
        "Cannot resolve {host}. Try `dig {host}`; if the status is not NOERROR ask your network administrator to allow it.",
        "Cannot resolve the license server's name.",
        advice=(CHECK_NETWORK,),
    ),
    reason(
        "server.connect",
        "network",
        "{host}:{port} refused the connection. Outbound HTTP(S) may be blocked; proxies tried: {proxies}.",
        "{place} {did}. Outbound HTTP(S) may be blocked; proxies tried: {proxies}.",
        "The license server refused the connection.",
        advice=(CHECK_NETWORK, "Is the control plane running? `cloudlet control start` starts one on this machine."),
    ),
    reason(
        "server.timeout",
        "network",
        "{host}:{port} did not answer within {s} s. Outbound HTTP(S) may be blocked; proxies tried: {proxies}.",
        "The license server did not answer in time.",
        advice=(CHECK_NETWORK,),
    ),
    reason(
        "server.tls",
        "network",
        'The TLS certificate of {host} is not trusted (issuer "{issuer}"): {problem}. A proxy may be inspecting traffic;'
        " set REQUESTS_CA_BUNDLE to your company CA.",
        "The TLS certificate of {host} is not trusted: {problem}. A proxy may be inspecting traffic;"
        " set REQUESTS_CA_BUNDLE to your company CA.",
        "{host}:{port} does not speak TLS as it should ({spoken}). Is API_ENDPOINT https where the server speaks http?",
        "The certificate authorities in {bundle} (REQUESTS_CA_BUNDLE or LICENSE_CA_BUNDLE) cannot be read: {unread}.",
        "The license server's TLS certificate is not trusted.",
        advice=("Set REQUESTS_CA_BUNDLE to a PEM file with your company's certificate authority.",),
    ),
    reason(
        "server.proxy_auth",
        "network",
        "Proxy {p} asked for a login (407).",
        "The proxy asked for a login (407).",
        advice=("Put user and password into OUTBOUND_HTTPS_PROXY, or allow {host} without a login.",),
    ),
    reason(
        "server.intercepted",
        "network",
        "Something other than the license server answered (HTTP {s}, {type}). A proxy, portal or wrong API_ENDPOINT"
        " ({url}; does it end in /v1?).",
        "Something other than the license server answered.",
        advice=(CHECK_NETWORK,),
    ),
    reason(
        "server.error",
        "network",
        "License server error {s}.",
        "The license server has a fault.",
        advice=("Try again; if it stays, look into the log of the license server for the request id.",),
    ),
    reason(
        "server.rate_limited",
        "network",
        "Too many requests to the license server, retry after {n} s.",
        "Too many requests to the license server.",
        advice=("Wait, and check for a container in a restart loop.",),
    ),
    reason(
        "request.format",
        "verdict",
        "The license server did not understand the request: {problem}.",
        "The license server did not understand the request.",
        advice=("Check that emulator and control plane are of versions that belong together.",),
    ),
    reason(
        "ci.token_required",
        "verdict",
        "A developer's token was used in CI; this workspace wants a CI key there.",
        advice=("Create a CI key and put it into LOCALSTACK_API_KEY: {web}/workspace/ci-keys",),
    ),
    reason(
        "ci.quota",
        "verdict",
        "CI credits of this period are used up ({u}/{q}, resets {date}).",
        "CI credits of this period are used up.",
        advice=("See the consumption on the CI Keys page: {web}/workspace/ci-keys",),
    ),
    reason(
        "machine.blocked",
        "verdict",
        "An admin blocked this machine ({machine}).",
        "An admin blocked this machine.",
        advice=("Ask an admin to unblock it: {web}/workspace/machines",),
    ),
    reason(
        "address.not_allowed",
        "verdict",
        'The workspace "{ws}" gives licenses to networks that it knows; {ip} is in none of them.',
        "The workspace gives licenses to networks that it knows, and this machine is in none of them.",
        advice=("Start from the company's network or VPN, or ask an admin to add yours: {web}/workspace",),
    ),
    reason(
        "machine.limit",
        "verdict",
        "The license is used on {n} machines already, its limit.",
        "The license is used on as many machines as it allows.",
        advice=("Block machines that are gone: {web}/workspace/machines",),
    ),
    reason(
        "clock.rollback",
        "clock",
        "This machine's clock ({now}) is behind the last trusted time ({hwm}).",
        "This machine's clock is behind the last trusted time.",
        advice=("Set the clock (NTP), then restart with a connection to the license server.",),
    ),
    reason(
        "clock.skew",
        "verdict",
        "This machine's clock differs from the license server's by {d}.",
        "This machine's clock differs too much from the license server's.",
        advice=("Set the clock (NTP) and restart.",),
    ),
)

REASONS: Mapping[str, Reason] = MappingProxyType({entry.code: entry for entry in ALL})


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A reason and what is known about it.

    `detail` and `hint` are the license server's own words, which know more than we do and come first. `request_id`
    is the server's, empty when it was never reached.
    """

    reason: Reason
    values: dict[str, str]
    detail: str = ""
    hint: str = ""
    request_id: str = ""

    @property
    def code(self) -> str:
        return self.reason.code

    def text(self) -> str:
        """The sentence for "Reason:"."""
        return self.detail or first_complete(self.reason.texts, self.values)

    def advice(self) -> tuple[str, ...]:
        """The bullets of "What to do", those left out whose values nobody knows. The last one is always there."""
        known = [fill(line, self.values) for line in self.reason.advice]
        bullets = [self.hint, *(line for line in known if line)] if self.hint else [line for line in known if line]
        return (*dict.fromkeys(bullets), GO_ON_WITHOUT)

    def docs_url(self, web: str) -> str:
        return f"{web}/docs/errors#{self.code}"


def failure(code: str, *, detail: str = "", hint: str = "", request_id: str = "", **values: str) -> Failure:
    """A failure for a known code; values that are empty count as unknown."""
    known = {name: value for name, value in values.items() if value}
    return Failure(reason=REASONS[code], values=known, detail=detail, hint=hint, request_id=request_id)


def first_complete(texts: tuple[str, ...], values: Mapping[str, str]) -> str:
    for text in texts:
        filled = fill(text, values)
        if filled:
            return filled
    return fill(texts[-1], dict.fromkeys(placeholders(texts[-1]), "?") | dict(values))


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its values, or "" when one is not known."""
    return text.format_map(values) if placeholders(text) <= values.keys() else ""


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}
