"""Route 53: changes on their way, batches as a whole, zones, health checks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Client = Callable[..., Any]
Unique = Callable[..., str]


def refused(act: Callable[..., Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        act(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def change(action: str, name: str, value: str, ttl: int = 60) -> dict[str, Any]:
    records = {"Name": name, "Type": "A", "TTL": ttl, "ResourceRecords": [{"Value": value}]}
    return {"Action": action, "ResourceRecordSet": records}


@pytest.fixture
def zone(client: Client, unique: Unique) -> tuple[str, str]:
    """(id, name)."""
    name = unique("zone") + ".example.com"
    made = client("route53").create_hosted_zone(Name=name, CallerReference=name)
    assert made["ChangeInfo"]["Status"] == "PENDING"
    assert set(made["DelegationSet"]) == {"NameServers"}
    return made["HostedZone"]["Id"].rpartition("/")[2], name


def test_a_reference_makes_one_zone(client: Client, zone: tuple[str, str]) -> None:
    act = client("route53").create_hosted_zone
    assert refused(act, Name="other.example.com", CallerReference=zone[1])[0] == "HostedZoneAlreadyExists"


def test_a_batch_is_done_as_a_whole(client: Client, zone: tuple[str, str]) -> None:
    route53, (zone_id, name) = client("route53"), zone
    act = route53.change_resource_record_sets
    answer = act(
        HostedZoneId=zone_id, ChangeBatch={"Comment": "c", "Changes": [change("CREATE", f"a.{name}", "1.2.3.4")]}
    )
    assert (answer["ChangeInfo"]["Status"], answer["ChangeInfo"]["Comment"]) == ("PENDING", "c")
    batch = [change("CREATE", f"b.{name}", "1.2.3.4"), change("DELETE", f"a.{name}", "9.9.9.9")]
    assert refused(act, HostedZoneId=zone_id, ChangeBatch={"Changes": batch}) == (
        "InvalidChangeBatch",
        f"[Tried to delete resource record set [name='a.{name}.', type='A'] but the values provided do not match the "
        "current values]",
    )
    batch = [change("DELETE", f"none.{name}", "9.9.9.9")]
    assert "but it was not found]" in refused(act, HostedZoneId=zone_id, ChangeBatch={"Changes": batch})[1]
    batch = [change("UPSERT", f"b.{name}", "nonsense")]
    assert "ARRDATAIllegalIPv4Address" in refused(act, HostedZoneId=zone_id, ChangeBatch={"Changes": batch})[1]
    names = [record["Name"] for record in route53.list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]]
    assert f"b.{name}." not in names
    act(HostedZoneId=zone_id, ChangeBatch={"Changes": [change("DELETE", f"a.{name}", "1.2.3.4")]})
    route53.delete_hosted_zone(Id=zone_id)


def test_the_start_of_authority_is_amazons(client: Client, zone: tuple[str, str]) -> None:
    records = client("route53").list_resource_record_sets(HostedZoneId=zone[0])["ResourceRecordSets"]
    (soa,) = [record for record in records if record["Type"] == "SOA"]
    assert soa["ResourceRecords"][0]["Value"].endswith(". awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400")


def test_a_private_zone_wants_a_network_that_is_there(client: Client, unique: Unique) -> None:
    name = unique("zone") + ".internal"
    vpc = {"VPCRegion": "us-east-1", "VPCId": "vpc-12345678"}
    assert refused(client("route53").create_hosted_zone, Name=name, CallerReference=name, VPC=vpc)[0] == "InvalidVPCId"


def test_health_checks(client: Client, unique: Unique) -> None:
    route53, reference = client("route53"), unique("check")
    config = {"Type": "HTTP", "IPAddress": "192.0.2.1", "Port": 80}
    made = route53.create_health_check(CallerReference=reference, HealthCheckConfig=config)
    name = made["HealthCheck"]["Id"]
    again = route53.create_health_check(CallerReference=reference, HealthCheckConfig=config)
    assert again["HealthCheck"]["Id"] == name
    other = {**config, "Port": 81}
    assert refused(route53.create_health_check, CallerReference=reference, HealthCheckConfig=other)[0] == (
        "HealthCheckAlreadyExists"
    )
    route53.delete_health_check(HealthCheckId=name)
    assert refused(route53.delete_health_check, HealthCheckId=name)[0] == "NoSuchHealthCheck"
