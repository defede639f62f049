"""The DNS firewall: domain lists, rule groups, rules, associations with VPCs. They are kept; no query is filtered."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.answers import Answer, Asked
from cloudlet.emulator.fallback.answers.paging import page
from cloudlet.emulator.fallback.answers.route53resolver.endpoints import refuse, trace

Thing = dict[str, Any]
MANAGED = (
    "AWSManagedDomainsAggregateThreatList",
    "AWSManagedDomainsAmazonGuardDutyThreatList",
    "AWSManagedDomainsBotnetCommandandControl",
    "AWSManagedDomainsMalwareDomainList",
)
OWNER = "Route 53 Resolver DNS Firewall"
IN_LISTS = ("Id", "Arn", "Name", "CreatorRequestId", "ManagedOwnerName")
GROUP_IN_LISTS = ("Id", "Arn", "Name", "OwnerId", "CreatorRequestId", "ShareStatus")
OF_A_RULE = (
    "FirewallRuleGroupId",
    "FirewallDomainListId",
    "Name",
    "Priority",
    "Action",
    "BlockResponse",
    "BlockOverrideDomain",
    "BlockOverrideDnsType",
    "BlockOverrideTtl",
    "CreatorRequestId",
    "FirewallDomainRedirectionAction",
    "Qtype",
)


def kept(backend: Any, kind: str) -> dict[str, Thing]:
    """`lists`, `groups`, `associations`, `configs` by id."""
    if not hasattr(backend, "firewall"):
        backend.firewall = {}
    things: dict[str, Thing] = backend.firewall.setdefault(kind, {})
    return things


def stamp(asked: Asked) -> str:
    moment = datetime.fromtimestamp(asked.call.now, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06}Z"


def new(asked: Asked, prefix: str, kind: str) -> Thing:
    """Id, ARN and times."""
    call = asked.call
    name = f"rslvr-{prefix}-{call.ids.hex(17)}"
    arn = f"arn:{call.partition}:route53resolver:{call.region}:{call.account_id}:{kind}/{name}"
    return {"Id": name, "Arn": arn, "CreationTime": stamp(asked), "ModificationTime": stamp(asked)}


def found(asked: Asked, things: Mapping[str, Thing], name: str, what: str) -> Thing:
    if name not in things:
        raise refuse(
            "ResourceNotFoundException", f"{trace(asked)} Can't find the resource with ID '{name}'. {what}".rstrip()
        )
    return things[name]


def paged(asked: Asked, member: str, things: Iterable[Thing]) -> dict[str, Any]:
    shown, following = page(
        list(things),
        asked.request.get("MaxResults", 100),
        asked.request.get("NextToken"),
        lambda: refuse("InvalidNextTokenException", "The NextToken is not valid."),
    )
    return {member: list(shown)} | ({"NextToken": following} if following else {})


def again(things: Mapping[str, Thing], request: Mapping[str, Any]) -> Thing | None:
    """What the same request made before."""
    made = (thing for thing in things.values() if thing.get("CreatorRequestId") == request["CreatorRequestId"])
    return next((thing for thing in made if thing.get("Name") == request["Name"]), None)


# --- domain lists


def lists_of(asked: Asked, backend: Any) -> dict[str, Thing]:
    """With those of AWS."""
    lists = kept(backend, "lists")
    if not lists:
        call = asked.call
        for name in MANAGED:
            digest = hashlib.sha256(f"{call.region}{name}".encode()).hexdigest()[:16]
            made = f"rslvr-fdl-{digest}"
            arn = f"arn:{call.partition}:route53resolver:{call.region}:{call.account_id}:firewall-domain-list/{made}"
            lists[made] = {"Id": made, "Arn": arn, "Name": name, "ManagedOwnerName": OWNER, "Domains": []}
    return lists


def told_list(thing: Thing) -> Thing:
    domains = thing["Domains"]
    return {name: value for name, value in thing.items() if name != "Domains"} | {"DomainCount": len(domains)}


def create_list(asked: Asked) -> dict[str, Any]:
    request = asked.request
    with asked.state() as backend:
        lists = lists_of(asked, backend)
        before = again(lists, request)
        if before is None:
            before = new(asked, "fdl", "firewall-domain-list") | {
                "Name": request["Name"],
                "CreatorRequestId": request["CreatorRequestId"],
                "Status": "COMPLETE",
                "StatusMessage": "Created Firewall Domain List",
                "Domains": [],
            }
            lists[before["Id"]] = before
            note_tags(backend, before, request)
        return {"FirewallDomainList": told_list(before)}


def get_list(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        thing = found(asked, lists_of(asked, backend), asked.request["FirewallDomainListId"], "")
        return {"FirewallDomainList": told_list(thing)}


def list_lists(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        things = list(lists_of(asked, backend).values())
    shown = [{name: thing[name] for name in IN_LISTS if name in thing} for thing in things]
    return paged(asked, "FirewallDomainLists", shown)


def delete_list(asked: Asked) -> dict[str, Any]:
    name = asked.request["FirewallDomainListId"]
    with asked.state() as backend:
        lists = lists_of(asked, backend)
        thing = found(asked, lists, name, "")
        if any(
            rule["FirewallDomainListId"] == name
            for group in kept(backend, "groups").values()
            for rule in group["Rules"]
        ):
            raise refuse("ConflictException", f"{trace(asked)} The domain list '{name}' is used by a firewall rule.")
        del lists[name]
        return {"FirewallDomainList": told_list(thing) | {"Status": "DELETING"}}


def update_domains(asked: Asked) -> dict[str, Any]:
    request = asked.request
    with asked.state() as backend:
        thing = found(asked, lists_of(asked, backend), request["FirewallDomainListId"], "")
        domains = [domain.rstrip(".") + "." for domain in request["Domains"]]
        before = thing["Domains"]
        if request["Operation"] == "ADD":
            thing["Domains"] = list(dict.fromkeys([*before, *domains]))
        elif request["Operation"] == "REMOVE":
            thing["Domains"] = [domain for domain in before if domain not in domains]
        else:
            thing["Domains"] = list(dict.fromkeys(domains))
        thing["ModificationTime"] = stamp(asked)
        return {name: thing[name] for name in ("Id", "Name", "Status", "StatusMessage") if name in thing}


def list_domains(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        thing = found(asked, lists_of(asked, backend), asked.request["FirewallDomainListId"], "")
        return paged(asked, "Domains", thing["Domains"])


# --- rule groups and rules


def told_group(thing: Thing) -> Thing:
    return {name: value for name, value in thing.items() if name != "Rules"} | {"RuleCount": len(thing["Rules"])}


def create_group(asked: Asked) -> dict[str, Any]:
    request = asked.request
    with asked.state() as backend:
        groups = kept(backend, "groups")
        before = again(groups, request)
        if before is None:
            before = new(asked, "frg", "firewall-rule-group") | {
                "Name": request["Name"],
                "CreatorRequestId": request["CreatorRequestId"],
                "OwnerId": asked.call.account_id,
                "ShareStatus": "NOT_SHARED",
                "Status": "COMPLETE",
                "StatusMessage": "Created Firewall Rule Group",
                "Rules": [],
            }
            groups[before["Id"]] = before
            note_tags(backend, before, request)
        return {"FirewallRuleGroup": told_group(before)}


def get_group(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        thing = found(asked, kept(backend, "groups"), asked.request["FirewallRuleGroupId"], "")
        return {"FirewallRuleGroup": told_group(thing)}


def list_groups(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        things = list(kept(backend, "groups").values())
    return paged(asked, "FirewallRuleGroups", [{name: thing[name] for name in GROUP_IN_LISTS} for thing in things])


def delete_group(asked: Asked) -> dict[str, Any]:
    name = asked.request["FirewallRuleGroupId"]
    with asked.state() as backend:
        thing = found(asked, kept(backend, "groups"), name, "")
        if any(made["FirewallRuleGroupId"] == name for made in kept(backend, "associations").values()):
            raise refuse("ConflictException", f"{trace(asked)} The rule group '{name}' is associated with a VPC.")
        del kept(backend, "groups")[name]
        return {"FirewallRuleGroup": told_group(thing) | {"Status": "DELETING"}}


def rule_of(asked: Asked, group: Thing) -> Thing:
    wanted = asked.request.get("FirewallDomainListId")
    for rule in group["Rules"]:
        if rule.get("FirewallDomainListId") == wanted:
            return rule  # type: ignore[no-any-return]
    raise refuse(
        "ResourceNotFoundException", f"{trace(asked)} Can't find the firewall rule with the domain list '{wanted}'."
    )


def create_rule(asked: Asked) -> dict[str, Any]:
    request = asked.request
    with asked.state() as backend:
        group = found(asked, kept(backend, "groups"), request["FirewallRuleGroupId"], "")
        if "FirewallDomainListId" in request:
            found(asked, lists_of(asked, backend), request["FirewallDomainListId"], "")
        if any(rule["Priority"] == request["Priority"] for rule in group["Rules"]):
            raise refuse(
                "ConflictException", f"{trace(asked)} There is a firewall rule with the priority {request['Priority']}."
            )
        if request["Action"] == "BLOCK" and "BlockResponse" not in request:
            raise refuse("ValidationException", "BlockResponse is required for the action BLOCK.")
        rule = {name: request[name] for name in OF_A_RULE if name in request}
        rule.setdefault("FirewallDomainRedirectionAction", "INSPECT_REDIRECTION_DOMAIN")
        rule |= {"CreationTime": stamp(asked), "ModificationTime": stamp(asked)}
        group["Rules"].append(rule)
        return {"FirewallRule": dict(rule)}


def update_rule(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        group = found(asked, kept(backend, "groups"), asked.request["FirewallRuleGroupId"], "")
        rule = rule_of(asked, group)
        rule.update({name: asked.request[name] for name in OF_A_RULE if name in asked.request})
        rule["ModificationTime"] = stamp(asked)
        return {"FirewallRule": dict(rule)}


def delete_rule(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        group = found(asked, kept(backend, "groups"), asked.request["FirewallRuleGroupId"], "")
        rule = rule_of(asked, group)
        group["Rules"].remove(rule)
        return {"FirewallRule": rule}


def list_rules(asked: Asked) -> dict[str, Any]:
    request = asked.request
    with asked.state() as backend:
        group = found(asked, kept(backend, "groups"), request["FirewallRuleGroupId"], "")
        rules = [
            dict(rule)
            for rule in sorted(group["Rules"], key=lambda rule: int(rule["Priority"]))
            if request.get("Priority") in (None, rule["Priority"]) and request.get("Action") in (None, rule["Action"])
        ]
    return paged(asked, "FirewallRules", rules)


# --- associations and configurations


def associate(asked: Asked) -> dict[str, Any]:
    request = asked.request
    with asked.state() as backend:
        found(asked, kept(backend, "groups"), request["FirewallRuleGroupId"], "")
        made = new(asked, "frgassoc", "firewall-rule-group-association") | {
            "FirewallRuleGroupId": request["FirewallRuleGroupId"],
            "VpcId": request["VpcId"],
            "Name": request["Name"],
            "Priority": request["Priority"],
            "MutationProtection": request.get("MutationProtection", "DISABLED"),
            "CreatorRequestId": request["CreatorRequestId"],
            "Status": "COMPLETE",
            "StatusMessage": "Finished rule group association",
        }
        kept(backend, "associations")[made["Id"]] = made
        note_tags(backend, made, request)
        return {
            "FirewallRuleGroupAssociation": made
            | {"Status": "UPDATING", "StatusMessage": "Creating Firewall Rule Group Association"}
        }


def get_association(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        name = asked.request["FirewallRuleGroupAssociationId"]
        return {"FirewallRuleGroupAssociation": dict(found(asked, kept(backend, "associations"), name, ""))}


def update_association(asked: Asked) -> dict[str, Any]:
    request = asked.request
    with asked.state() as backend:
        made = found(asked, kept(backend, "associations"), request["FirewallRuleGroupAssociationId"], "")
        made.update({name: request[name] for name in ("Priority", "MutationProtection", "Name") if name in request})
        return {"FirewallRuleGroupAssociation": dict(made)}


def disassociate(asked: Asked) -> dict[str, Any]:
    name = asked.request["FirewallRuleGroupAssociationId"]
    with asked.state() as backend:
        made = found(asked, kept(backend, "associations"), name, "")
        if made["MutationProtection"] == "ENABLED":
            raise refuse("ConflictException", f"{trace(asked)} The association '{name}' is protected.")
        del kept(backend, "associations")[name]
        return {"FirewallRuleGroupAssociation": made | {"Status": "DELETING"}}


def list_associations(asked: Asked) -> dict[str, Any]:
    request = asked.request
    members = ("FirewallRuleGroupId", "VpcId", "Priority", "Status")
    with asked.state() as backend:
        things = [
            dict(made)
            for made in kept(backend, "associations").values()
            if all(request.get(member) in (None, made[member]) for member in members)
        ]
    return paged(asked, "FirewallRuleGroupAssociations", things)


def config_of(asked: Asked, backend: Any, resource: str) -> Thing:
    configs = kept(backend, "configs")
    if resource not in configs:
        configs[resource] = {
            "Id": f"rslvr-fc-{asked.call.ids.hex(17)}",
            "ResourceId": resource,
            "OwnerId": asked.call.account_id,
            "FirewallFailOpen": "DISABLED",
        }
    return configs[resource]


def get_config(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        return {"FirewallConfig": dict(config_of(asked, backend, asked.request["ResourceId"]))}


def update_config(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        config = config_of(asked, backend, asked.request["ResourceId"])
        config["FirewallFailOpen"] = asked.request["FirewallFailOpen"]
        return {"FirewallConfig": dict(config)}


def list_configs(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        return paged(asked, "FirewallConfigs", [dict(config) for config in kept(backend, "configs").values()])


# --- tags


def tagged(asked: Asked, backend: Any) -> Thing | None:
    """What of the firewall has this ARN; None where it is moto's."""
    arn = asked.request["ResourceArn"]
    if ":firewall-" not in arn:
        return None
    for kind in ("lists", "groups", "associations"):
        for thing in kept(backend, kind).values():
            if thing.get("Arn") == arn:
                return thing
    raise refuse("ResourceNotFoundException", f"{trace(asked)} Can't find the resource with the ARN '{arn}'.")


def list_tags(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        thing = tagged(asked, backend)
        if thing is None:
            return asked.proceed()
        tags = kept(backend, "tags").get(thing["Id"], {})
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def tag_resource(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        thing = tagged(asked, backend)
        if thing is None:
            return asked.proceed()
        note_tags(backend, thing, asked.request)
    return {}


def note_tags(backend: Any, thing: Thing, request: Mapping[str, Any]) -> None:
    tags = kept(backend, "tags").setdefault(thing["Id"], {})
    tags.update({tag["Key"]: tag["Value"] for tag in request.get("Tags", ())})


def untag_resource(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        thing = tagged(asked, backend)
        if thing is None:
            return asked.proceed()
        tags = kept(backend, "tags").setdefault(thing["Id"], {})
        for key in asked.request["TagKeys"]:
            tags.pop(key, None)
    return {}


ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        "CreateFirewallDomainList": create_list,
        "GetFirewallDomainList": get_list,
        "ListFirewallDomainLists": list_lists,
        "DeleteFirewallDomainList": delete_list,
        "UpdateFirewallDomains": update_domains,
        "ListFirewallDomains": list_domains,
        "CreateFirewallRuleGroup": create_group,
        "GetFirewallRuleGroup": get_group,
        "ListFirewallRuleGroups": list_groups,
        "DeleteFirewallRuleGroup": delete_group,
        "CreateFirewallRule": create_rule,
        "UpdateFirewallRule": update_rule,
        "DeleteFirewallRule": delete_rule,
        "ListFirewallRules": list_rules,
        "AssociateFirewallRuleGroup": associate,
        "GetFirewallRuleGroupAssociation": get_association,
        "UpdateFirewallRuleGroupAssociation": update_association,
        "DisassociateFirewallRuleGroup": disassociate,
        "ListFirewallRuleGroupAssociations": list_associations,
        "GetFirewallConfig": get_config,
        "UpdateFirewallConfig": update_config,
        "ListFirewallConfigs": list_configs,
        "ListTagsForResource": list_tags,
        "TagResource": tag_resource,
        "UntagResource": untag_resource,
    }
)
