"""Endpoints, rules and query logs: moto's, with the members and states that AWS tells of."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cloudlet.emulator.fallback.answers import Answer, Asked
from cloudlet.emulator.kernel.errors import UnmodelledError


def refuse(code: str, message: str) -> UnmodelledError:
    return UnmodelledError(code, message)


def trace(asked: Asked) -> str:
    ids = asked.call.ids
    return f"[Trace id: 1-{ids.hex(8)}-{ids.hex(24)}]"


def create_endpoint(asked: Asked) -> dict[str, Any]:
    kind = asked.request.get("ResolverEndpointType", "IPV4")
    told = asked.proceed()["ResolverEndpoint"]
    with asked.state() as backend:
        backend.resolver_endpoints[told["Id"]].kind = kind
    told |= {"ResolverEndpointType": kind, "Status": "CREATING"}
    told["StatusMessage"] = f"{trace(asked)} Creating the Resolver Endpoint"
    return {"ResolverEndpoint": told}


def endpoint(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        told = asked.proceed()["ResolverEndpoint"]
        made = backend.resolver_endpoints.get(told["Id"])
    told["ResolverEndpointType"] = getattr(made, "kind", "IPV4")
    return {"ResolverEndpoint": told}


def endpoints(asked: Asked) -> dict[str, Any]:
    with asked.state() as backend:
        result = asked.proceed()
        for told in result.get("ResolverEndpoints", ()):
            told["ResolverEndpointType"] = getattr(backend.resolver_endpoints.get(told["Id"]), "kind", "IPV4")
    return result


def create_rule(asked: Asked) -> dict[str, Any]:
    """A rule that forwards does so through an endpoint that goes out."""
    name = asked.request.get("ResolverEndpointId")
    with asked.state() as backend:
        made = backend.resolver_endpoints.get(name)
        if made is not None and made.direction != "OUTBOUND":
            raise refuse(
                "InvalidRequestException",
                "[RSLVR-00700] Resolver rules can only be associated to OUTBOUND resolver endpoints.",
            )
    return asked.proceed()


def associate_rule(asked: Asked) -> dict[str, Any]:
    told = asked.proceed()["ResolverRuleAssociation"]
    told["StatusMessage"] = told.get("StatusMessage") or f"{trace(asked)} Creating the association."
    return {"ResolverRuleAssociation": told}


def no_query_log(asked: Asked) -> dict[str, Any]:
    """DeleteResolverQueryLogConfig."""
    name = asked.request["ResolverQueryLogConfigId"]
    with asked.state() as backend:
        configs = getattr(backend, "resolver_query_log_configs", {})
        if name not in configs:
            raise refuse(
                "ResourceNotFoundException",
                f"{trace(asked)} The specified query logging configuration doesn't exist.",
            )
        told = asked.as_another("GetResolverQueryLogConfig", {"ResolverQueryLogConfigId": name}).proceed()
        del configs[name]
    told["ResolverQueryLogConfig"]["Status"] = "DELETING"
    return told


ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        "CreateResolverEndpoint": create_endpoint,
        "GetResolverEndpoint": endpoint,
        "UpdateResolverEndpoint": endpoint,
        "DeleteResolverEndpoint": endpoint,
        "ListResolverEndpoints": endpoints,
        "CreateResolverRule": create_rule,
        "AssociateResolverRule": associate_rule,
        "DeleteResolverQueryLogConfig": no_query_log,
    }
)
