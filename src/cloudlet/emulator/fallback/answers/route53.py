"""Route 53: changes that are pending at first, batches that are refused as a whole, zones as AWS tells of them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.answers import Answer, Asked
from cloudlet.emulator.kernel.errors import AwsError, UnmodelledError

LISTED = "300"
SOA = re.compile(r"\{'Value': '(?P<server>\S+?)\.? \S+ (?P<rest>[\d ]+)'\}\Z")
NAME_OF_ESCAPES = str.maketrans({"*": "\\052"})


def refuse(code: str, message: str, status: int = 400) -> UnmodelledError:
    return UnmodelledError(code, message, status)


def change_info(asked: Asked, status: str = "PENDING") -> dict[str, Any]:
    return {"Id": f"/change/C{asked.call.ids.uppercase(20)}", "Status": status, "SubmittedAt": asked.call.now}


def without_set(result: dict[str, Any]) -> dict[str, Any]:
    """A delegation set that nobody made has neither id nor reference."""
    chosen = result.get("DelegationSet")
    if chosen is not None and not chosen.get("Id"):
        chosen.pop("Id", None)
        chosen.pop("CallerReference", None)
    return result


def create_hosted_zone(asked: Asked) -> dict[str, Any]:
    request = asked.request
    vpc = request.get("VPC")
    if vpc is not None:
        check_vpc(asked, vpc)
    with asked.state() as backend:
        if request["CallerReference"] in (zone.caller_reference for zone in backend.zones.values()):
            raise refuse(
                "HostedZoneAlreadyExists",
                f"A hosted zone has already been created with the specified caller reference: {request['CallerReference']}",
                409,
            )
        result = asked.proceed()
    result["ChangeInfo"] = change_info(asked)
    return without_set(result)


def check_vpc(asked: Asked, vpc: dict[str, Any]) -> None:
    call, name = asked.call, vpc.get("VPCId", "")
    region = vpc.get("VPCRegion") or call.region
    try:
        found = asked.engine.reach(call.account_id, region, "ec2", "DescribeVpcs", {"VpcIds": [name]}).get("Vpcs")
    except AwsError:
        found = None
    if not found:
        raise refuse("InvalidVPCId", "The VPC ID is invalid.")


def zone(asked: Asked) -> dict[str, Any]:
    return without_set(asked.proceed())


def changing(asked: Asked) -> dict[str, Any]:
    """Operations whose changes are on their way."""
    result = asked.proceed()
    return {**result, "ChangeInfo": change_info(asked)}


def change_resource_record_sets(asked: Asked) -> dict[str, Any]:
    """All changes or none."""
    request = asked.request
    name = request["HostedZoneId"].rpartition("/")[2]
    with asked.state() as backend:
        found = backend.zones.get(name)
        if found is None:
            raise refuse("NoSuchHostedZone", f"No hosted zone found with ID: {name}", 404)
        wrong = [text for change in request["ChangeBatch"]["Changes"] for text in faults(change, found)]
        if wrong:
            raise refuse("InvalidChangeBatch", f"[{', '.join(wrong)}]")
        try:
            asked.proceed()
        except UnmodelledError as error:
            if error.code == "InvalidChangeBatch" and not error.message.startswith("["):
                raise refuse(error.code, f"[{error.message}]") from error
            raise
    info = change_info(asked)
    if request["ChangeBatch"].get("Comment"):
        info["Comment"] = request["ChangeBatch"]["Comment"]
    return {"ChangeInfo": info}


def faults(change: dict[str, Any], found: Any) -> list[str]:
    wanted = change["ResourceRecordSet"]
    kind, name = wanted["Type"], full(wanted["Name"])
    wrong = []
    if change["Action"] in ("CREATE", "UPSERT"):
        for record in wanted.get("ResourceRecords", ()):
            fault = value_fault(kind, record.get("Value", ""))
            if fault:
                wrong.append(
                    f"Invalid Resource Record: 'FATAL problem: {fault} encountered with '{record.get('Value', '')}''"
                )
        return wrong
    there = [record for record in found.rrsets if full(record.name) == name and record.type == kind]
    shown = f"name='{name}', type='{kind}'"
    if wanted.get("SetIdentifier"):
        there = [record for record in there if record.set_identifier == wanted["SetIdentifier"]]
        shown += f", set-identifier='{wanted['SetIdentifier']}'"
    if not there:
        return [f"Tried to delete resource record set [{shown}] but it was not found"]
    if not any(is_same(record, wanted) for record in there):
        return [
            f"Tried to delete resource record set [{shown}] but the values provided do not match the current values"
        ]
    return []


def is_same(record: Any, wanted: dict[str, Any]) -> bool:
    if wanted.get("AliasTarget"):
        return bool(record.alias_target)
    values = sorted(str(value.get("Value") if isinstance(value, dict) else value) for value in record.records or ())
    given = sorted(str(entry.get("Value", "")) for entry in wanted.get("ResourceRecords", ()))
    return values == given and str(record.ttl) == str(wanted.get("TTL"))


def full(name: str) -> str:
    return name.lower().rstrip(".").translate(NAME_OF_ESCAPES) + "."


def value_fault(kind: str, value: str) -> str:
    if kind in ("A", "AAAA"):
        try:
            address = ipaddress.ip_address(value)
        except ValueError:
            return "ARRDATAIllegalIPv4Address" if kind == "A" else "AAAARRDATAIllegalIPv6Address"
        if address.version != (4 if kind == "A" else 6):
            return "ARRDATAIllegalIPv4Address" if kind == "A" else "AAAARRDATAIllegalIPv6Address"
    if kind in ("TXT", "SPF") and not (value.startswith('"') and value.endswith('"') and len(value) > 1):
        return "InvalidCharacterString (Value should be enclosed in quotation marks)"
    return ""


def list_resource_record_sets(asked: Asked) -> dict[str, Any]:
    result = asked.proceed()
    if "MaxItems" not in asked.request:
        result["MaxItems"] = LISTED
    for record in result["ResourceRecordSets"]:
        for value in record.get("ResourceRecords", ()):
            found = SOA.match(str(value.get("Value", "")))
            if found:
                value["Value"] = f"{found['server']}. awsdns-hostmaster.amazon.com. {found['rest']}"
    return result


# --- health checks


def create_health_check(asked: Asked) -> dict[str, Any]:
    request = asked.request
    with asked.state() as backend:
        for check in backend.health_checks.values():
            if check.caller_reference == request["CallerReference"]:
                if getattr(check, "given", None) == request["HealthCheckConfig"]:
                    return asked.as_another("GetHealthCheck", {"HealthCheckId": check.id}).proceed() | {
                        "Location": location(check.id)
                    }
                raise refuse(
                    "HealthCheckAlreadyExists",
                    "A health check with the specified caller reference already exists with different settings.",
                    409,
                )
        result = asked.proceed()
        backend.health_checks[result["HealthCheck"]["Id"]].given = dict(request["HealthCheckConfig"])
    return {**result, "Location": location(result["HealthCheck"]["Id"])}


def location(check: str) -> str:
    return f"https://route53.amazonaws.com/2013-04-01/healthcheck/{check}"


def on_a_health_check(asked: Asked) -> dict[str, Any]:
    name = asked.request["HealthCheckId"]
    with asked.state() as backend:
        if name not in backend.health_checks:
            raise refuse("NoSuchHealthCheck", f"A health check with id {name} does not exist.", 404)
        return asked.proceed()


def get_health_check_count(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        return {"HealthCheckCount": len(backend.health_checks)}


ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        "CreateHostedZone": create_hosted_zone,
        "GetHostedZone": zone,
        "DeleteHostedZone": changing,
        "AssociateVPCWithHostedZone": changing,
        "DisassociateVPCFromHostedZone": changing,
        "ChangeResourceRecordSets": change_resource_record_sets,
        "ListResourceRecordSets": list_resource_record_sets,
        "CreateHealthCheck": create_health_check,
        "GetHealthCheck": on_a_health_check,
        "UpdateHealthCheck": on_a_health_check,
        "DeleteHealthCheck": on_a_health_check,
        "GetHealthCheckStatus": on_a_health_check,
        "GetHealthCheckCount": get_health_check_count,
    }
)
