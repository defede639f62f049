"""Opting into regions, with the emulator's own clock."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest


def advance(url: str, seconds: float) -> None:
    """Let time pass; what falls due runs before the answer."""
    body = json.dumps({"seconds": seconds}).encode()
    request = urllib.request.Request(f"{url}/_cloudlet/clock/advance", body, method="POST")
    with urllib.request.urlopen(request, timeout=20) as response:
        assert response.status == 200


def status(account: Any, region_name: str) -> str:
    found: str = account.get_region_opt_status(RegionName=region_name)["RegionOptStatus"]
    return found


def test_a_region_is_enabled_after_a_while(start_emulator: Any) -> None:
    emulator = start_emulator()
    account = emulator.client("account")
    assert status(account, "af-south-1") == "DISABLED"
    account.enable_region(RegionName="af-south-1")
    assert status(account, "af-south-1") == "ENABLING"
    with pytest.raises(account.exceptions.ConflictException):
        account.disable_region(RegionName="af-south-1")
    advance(emulator.url, 61)
    assert status(account, "af-south-1") == "ENABLED"
    account.enable_region(RegionName="af-south-1")
    assert status(account, "af-south-1") == "ENABLED"


def test_a_region_that_is_always_on_cannot_change(client: Any) -> None:
    account = client("account", account="210000000004")
    assert status(account, "us-east-1") == "ENABLED_BY_DEFAULT"
    with pytest.raises(account.exceptions.ValidationException):
        account.disable_region(RegionName="us-east-1")


def test_regions_are_listed_in_pages(client: Any) -> None:
    account = client("account", account="210000000005")
    pages = list(account.get_paginator("list_regions").paginate(PaginationConfig={"PageSize": 7}))
    names = [region["RegionName"] for page in pages for region in page["Regions"]]
    assert names == sorted(set(names))
    assert len(pages) == -(-len(names) // 7)
    disabled = account.list_regions(RegionOptStatusContains=["DISABLED"])["Regions"]
    assert {region["RegionOptStatus"] for region in disabled} == {"DISABLED"}
