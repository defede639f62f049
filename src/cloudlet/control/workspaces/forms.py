"""What people fill in about a workspace."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_network

import msgspec

from cloudlet.control.errors import InvalidForm
from cloudlet.control.fields import whole_number
from cloudlet.control.workspaces.countries import COUNTRIES
from cloudlet.control.workspaces.policies import CI_POLICIES, QUOTA_POLICIES, REVEAL_POLICIES, Policies

LARGEST_NAME = 80
TAX_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ./&-]{0,48}")
MOST_HOURS = 8760
MOST_DAYS = 3650
MOST_NETWORKS = 100
LARGEST_VERSION = 2**31 - 1


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Who a workspace belongs to. `country` is an ISO 3166-1 code."""

    name: str
    is_company: bool = False
    country: str | None = None
    tax_id: str | None = None


class SettingsForm(msgspec.Struct, frozen=True, kw_only=True):
    """All of the settings page. `version`: which settings the form showed."""

    facts: Facts
    policies: Policies
    version: int


class DeleteForm(msgspec.Struct, frozen=True):
    confirm: str = ""
    password: str = ""
    code: str = ""


def read_facts(fields: Mapping[str, str]) -> Facts:
    """Raises InvalidForm."""
    name = " ".join(fields.get("name", "").split())
    if not 1 <= len(name) <= LARGEST_NAME or not name.isprintable():
        raise InvalidForm(f"A workspace has a name, of {LARGEST_NAME} characters at most.")
    country = fields.get("country", "").strip().upper() or None
    if country is not None and country not in COUNTRIES:
        raise InvalidForm("Choose a country of the list.")
    tax_id = " ".join(fields.get("tax_id", "").split()) or None
    if tax_id is not None and not TAX_ID.fullmatch(tax_id):
        raise InvalidForm("A tax id has letters, digits, spaces, dots, slashes and hyphens, 49 at most.")
    return Facts(name=name, is_company=bool(fields.get("is_company")), country=country, tax_id=tax_id)


def read_settings_form(fields: Mapping[str, str], most_hours: int | None) -> SettingsForm:
    """`most_hours`: what the plan allows without a connection, None without a plan. Raises InvalidForm."""
    hours = read_limit(fields.get("offline_window_h", ""), "Hours without a connection", most_hours or MOST_HOURS)
    days = read_limit(fields.get("token_max_age_d", ""), "Days until a token must be reset", MOST_DAYS)
    policies = msgspec.convert(
        {
            "reveal_policy": one_of(fields, "reveal_policy", REVEAL_POLICIES),
            "offline_window_h": hours,
            "ci_policy": one_of(fields, "ci_policy", ("", *CI_POLICIES)) or None,
            "ci_quota_policy": one_of(fields, "ci_quota_policy", QUOTA_POLICIES),
            "token_max_age_d": days,
            "ip_allowlist": read_networks(fields.get("ip_allowlist", "")),
        },
        Policies,
    )
    version = whole_number(fields.get("version", ""), LARGEST_VERSION)
    if version is None:
        raise InvalidForm("The form is incomplete. Reload the page and try again.")
    return SettingsForm(facts=read_facts(fields), policies=policies, version=version)


def one_of(fields: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    """The first choice where the form has none."""
    value = fields.get(name, choices[0])
    if value not in choices:
        raise InvalidForm("Choose one of the policies of the list.")
    return value


def read_limit(text: str, label: str, most: int) -> int | None:
    """None for an empty field."""
    if not text.strip():
        return None
    number = whole_number(text, most)
    if not number:
        raise InvalidForm(f"{label}: a whole number from 1 to {most:,}, or nothing.")
    return number


def read_networks(text: str) -> tuple[str, ...]:
    """One a line, or with commas: `10.0.0.0/8`, `2001:db8::/32`, or a single address. In their shortest form, each once."""
    found: list[str] = []
    for entry in re.split(r"[\s,]+", text.strip()):
        if not entry:
            continue
        try:
            network = str(ip_network(entry))
        except ValueError as error:
            reason = "it has host bits set" if "host bits" in str(error) else "it is no network such as 10.0.0.0/8"
            raise InvalidForm(f"“{entry[:60]}” is not allowed here: {reason}.") from None
        if network not in found:
            found.append(network)
    if len(found) > MOST_NETWORKS:
        raise InvalidForm(f"{MOST_NETWORKS} networks at most.")
    return tuple(found)
