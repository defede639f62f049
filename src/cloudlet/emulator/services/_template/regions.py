"""Regions: on in every account, or to opt into. A change takes a while; a job ends it."""

from __future__ import annotations

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.kernel.service import read_only, read_write
from cloudlet.emulator.services._template.api import (
    DisableRegionRequest,
    DisableRegionResult,
    EnableRegionRequest,
    EnableRegionResult,
    GetRegionOptStatusRequest,
    GetRegionOptStatusResponse,
    ListRegionsRequest,
    ListRegionsResponse,
)
from cloudlet.emulator.services._template.errors import not_an_opt_in_region, region_in_transition
from cloudlet.emulator.services._template.jobs import settle_later
from cloudlet.emulator.services._template.records import OPT_INS, OptIn
from cloudlet.emulator.services._template.rules import OPT_IN_REGIONS, REGIONS, initial_status, is_settled, settled

REGIONS_PER_PAGE = 50


@read_write
def enable_region(call: Call, request: EnableRegionRequest) -> EnableRegionResult:
    """Raises ValidationException for a region without opt-in, ConflictException while it changes."""
    change(call, request.get("AccountId", call.account_id), request["RegionName"], "ENABLING")
    return {}


@read_write
def disable_region(call: Call, request: DisableRegionRequest) -> DisableRegionResult:
    """Raises ValidationException for a region without opt-in, ConflictException while it changes."""
    change(call, request.get("AccountId", call.account_id), request["RegionName"], "DISABLING")
    return {}


def change(call: Call, account_id: str, region_name: str, status: str) -> None:
    """Begin a change; one that is made already changes nothing."""
    if region_name not in OPT_IN_REGIONS:
        raise not_an_opt_in_region(region_name)
    current = status_of(call, account_id, region_name)
    if not is_settled(current):
        raise region_in_transition(region_name)
    if current != settled(status):
        OPT_INS.put(call.tx, OptIn(account_id, region_name, status))
        settle_later(call, account_id, region_name)


def status_of(call: Call, account_id: str, region_name: str) -> str:
    opt_in = OPT_INS.get(call.tx, account_id, region_name)
    return opt_in.status if opt_in else initial_status(region_name)


@read_only
def get_region_opt_status(call: Call, request: GetRegionOptStatusRequest) -> GetRegionOptStatusResponse:
    """Raises ValidationException for a region that does not exist."""
    region_name = request["RegionName"]
    if region_name not in REGIONS:
        raise not_an_opt_in_region(region_name)
    account_id = request.get("AccountId", call.account_id)
    return {"RegionName": region_name, "RegionOptStatus": status_of(call, account_id, region_name)}


@read_only
def list_regions(call: Call, request: ListRegionsRequest) -> ListRegionsResponse:
    """In the order of their names. The token of a page is the last name of the page before."""
    account_id = request.get("AccountId", call.account_id)
    wanted = request.get("RegionOptStatusContains")
    after = request.get("NextToken", "")
    found = [(name, status_of(call, account_id, name)) for name in REGIONS if name > after]
    matching = [(name, status) for name, status in found if not wanted or status in wanted]
    page = matching[: request.get("MaxResults", REGIONS_PER_PAGE)]
    result: ListRegionsResponse = {
        "Regions": [{"RegionName": name, "RegionOptStatus": status} for name, status in page]
    }
    if len(page) < len(matching):
        result["NextToken"] = page[-1][0]
    return result
