"""Route 53 Resolver: endpoints, rules, the DNS firewall."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import RunningEmulator

Client = Callable[..., Any]
Unique = Callable[..., str]


@pytest.fixture
def client(emulator: RunningEmulator) -> Client:
    """In an account of these tests alone: others count the networks of theirs."""
    return lambda service, **options: emulator.client(service, account="111122227777", **options)


def refused(act: Callable[..., Any], **request: Any) -> str:
    with pytest.raises(ClientError) as caught:
        act(**request)
    code: str = caught.value.response["Error"]["Code"]
    return code


def make_endpoint(client: Client, unique: Unique, direction: str) -> dict[str, Any]:
    ec2, name = client("ec2"), unique("endpoint")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{at}.0/24", AvailabilityZone=f"us-east-1{zone}")["Subnet"]
        for at, zone in ((1, "a"), (2, "b"))
    ]
    group = ec2.create_security_group(GroupName=name, Description="d", VpcId=vpc)["GroupId"]
    made = client("route53resolver").create_resolver_endpoint(
        CreatorRequestId=name,
        Name=name,
        Direction=direction,
        SecurityGroupIds=[group],
        IpAddresses=[{"SubnetId": subnet["SubnetId"]} for subnet in subnets],
    )
    return dict(made["ResolverEndpoint"])


def test_an_endpoint_is_created_first(client: Client, unique: Unique) -> None:
    resolver, made = client("route53resolver"), make_endpoint(client, unique, "INBOUND")
    assert (made["Status"], made["ResolverEndpointType"]) == ("CREATING", "IPV4")
    found = resolver.get_resolver_endpoint(ResolverEndpointId=made["Id"])["ResolverEndpoint"]
    assert found["Status"] == "OPERATIONAL"
    rule = {
        "CreatorRequestId": unique("rule"),
        "Name": unique("rule"),
        "RuleType": "FORWARD",
        "DomainName": "example.com",
        "TargetIps": [{"Ip": "10.0.1.200", "Port": 53}],
    }
    assert refused(resolver.create_resolver_rule, ResolverEndpointId=made["Id"], **rule) == "InvalidRequestException"
    out = make_endpoint(client, unique, "OUTBOUND")["Id"]
    assert resolver.create_resolver_rule(ResolverEndpointId=out, **rule)["ResolverRule"]["Status"] == "COMPLETE"


def test_domain_lists(client: Client, unique: Unique) -> None:
    resolver, name = client("route53resolver"), unique("list")
    made = resolver.create_firewall_domain_list(CreatorRequestId=name, Name=name)["FirewallDomainList"]
    again = resolver.create_firewall_domain_list(CreatorRequestId=name, Name=name)["FirewallDomainList"]
    assert (made["Id"], made["DomainCount"]) == (again["Id"], 0)
    assert made["Id"].startswith("rslvr-fdl-")
    named = {"FirewallDomainListId": made["Id"]}
    resolver.update_firewall_domains(Operation="ADD", Domains=["a.com", "b.com"], **named)
    resolver.update_firewall_domains(Operation="REMOVE", Domains=["a.com."], **named)
    assert resolver.list_firewall_domains(**named)["Domains"] == ["b.com."]
    listed = resolver.list_firewall_domain_lists()["FirewallDomainLists"]
    assert {"AWSManagedDomainsMalwareDomainList", name} <= {entry["Name"] for entry in listed}
    resolver.delete_firewall_domain_list(**named)
    assert refused(resolver.get_firewall_domain_list, **named) == "ResourceNotFoundException"


def test_rules_of_groups(client: Client, unique: Unique) -> None:
    resolver, name = client("route53resolver"), unique("group")
    group = resolver.create_firewall_rule_group(CreatorRequestId=name, Name=name)["FirewallRuleGroup"]["Id"]
    domains = resolver.create_firewall_domain_list(CreatorRequestId=name, Name=name)["FirewallDomainList"]["Id"]
    rule = {"FirewallRuleGroupId": group, "FirewallDomainListId": domains}
    make = {"CreatorRequestId": name, "Name": name, "Priority": 100, "Action": "ALLOW", **rule}
    resolver.create_firewall_rule(**make)
    assert refused(resolver.create_firewall_rule, **make) == "ConflictException"
    resolver.update_firewall_rule(Action="BLOCK", BlockResponse="NODATA", **rule)
    (listed,) = resolver.list_firewall_rules(FirewallRuleGroupId=group)["FirewallRules"]
    assert (listed["Action"], listed["BlockResponse"], listed["Priority"]) == ("BLOCK", "NODATA", 100)
    assert refused(resolver.delete_firewall_domain_list, FirewallDomainListId=domains) == "ConflictException"
    made = resolver.associate_firewall_rule_group(
        CreatorRequestId=name, FirewallRuleGroupId=group, VpcId="vpc-1", Priority=101, Name=name
    )["FirewallRuleGroupAssociation"]
    assert refused(resolver.delete_firewall_rule_group, FirewallRuleGroupId=group) == "ConflictException"
    resolver.disassociate_firewall_rule_group(FirewallRuleGroupAssociationId=made["Id"])
    resolver.delete_firewall_rule(**rule)
    resolver.delete_firewall_rule_group(FirewallRuleGroupId=group)
    assert refused(resolver.list_firewall_rules, FirewallRuleGroupId=group) == "ResourceNotFoundException"


def test_configurations_and_what_is_not_there(client: Client) -> None:
    resolver = client("route53resolver")
    assert resolver.get_firewall_config(ResourceId="vpc-2")["FirewallConfig"]["FirewallFailOpen"] == "DISABLED"
    resolver.update_firewall_config(ResourceId="vpc-2", FirewallFailOpen="ENABLED")
    assert resolver.get_firewall_config(ResourceId="vpc-2")["FirewallConfig"]["FirewallFailOpen"] == "ENABLED"
    assert refused(resolver.delete_resolver_query_log_config, ResolverQueryLogConfigId="rqlc-x") == (
        "ResourceNotFoundException"
    )
