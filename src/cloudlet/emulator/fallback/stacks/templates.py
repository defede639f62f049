"""From a request to a stack that can be made: its template read, checked and expanded, its parameters known."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from cloudlet.emulator.fallback.stacks import capabilities, changes, parameters, references, template
from cloudlet.emulator.fallback.stacks.errors import refused
from cloudlet.emulator.fallback.stacks.intrinsics import Scope
from cloudlet.emulator.fallback.stacks.macros import Expansion, names
from cloudlet.emulator.fallback.stacks.plan import Plan, PlannedWorld
from cloudlet.emulator.fallback.stacks.records import Stack
from cloudlet.emulator.fallback.stacks.template import Template
from cloudlet.emulator.fallback.stacks.world import StackWorld
from cloudlet.emulator.kernel.errors import AwsError

if TYPE_CHECKING:
    from cloudlet.emulator.fallback.stacks.machine import Machine

NOTES = "\nFor more information check http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"
BUCKET_HOST = re.compile(
    r"(?:(?P<bucket>.+)\.)?s3(?:[.-](?!localhost)[a-z0-9-]+)?\.(?:amazonaws\.com|localhost\.localstack\.cloud|localhost)"
)


class Prepared(NamedTuple):
    """`text` as it was given, `original` its template, `template` without macros."""

    text: str
    original: Template
    template: Template
    parameters: dict[str, parameters.Value]


def place_of(url: str) -> tuple[str, str, str | None] | None:
    """Bucket, key and version behind an address of S3, in any of its forms and this emulator's; None for any other."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    key = unquote(parts.path.lstrip("/"))
    version = parse_qs(parts.query).get("versionId", [None])[0]
    if parts.scheme == "s3":
        return parts.netloc, key, version
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    match = BUCKET_HOST.fullmatch(parts.hostname)
    if match is not None and match["bucket"]:
        return match["bucket"], key, version
    local = parts.hostname in ("localhost", "127.0.0.1", "localhost.localstack.cloud") or "." not in parts.hostname
    if match is None and not local and not parts.hostname.replace(".", "").isdigit():
        return None
    bucket, _, rest = key.partition("/")
    return (bucket, rest, version) if rest else None


def read_url(machine: Machine, account: str, region: str, url: str) -> str:
    """The text behind the URL. Raises `ValidationError`."""
    place = place_of(url)
    if place is None:
        raise refused("TemplateURL must be a supported URL.")
    bucket, key, version = place
    request = {"Bucket": bucket, "Key": key}
    if version:
        request["VersionId"] = version
    try:
        body = machine.reach(account, region, "s3", "GetObject", request)["Body"]
    except AwsError as error:
        raise refused(f"S3 error: {error.message}{NOTES}") from error
    content = body.read() if hasattr(body, "read") else body
    return bytes(content).decode("utf-8", errors="replace")


def text_of(machine: Machine, account: str, region: str, request: dict[str, Any], before: str | None = None) -> str:
    """The template that a request names. Raises `ValidationError`."""
    body, url = request.get("TemplateBody"), request.get("TemplateURL")
    if request.get("UsePreviousTemplate"):
        if body or url:
            raise refused("Cannot specify a template if using the previous template.")
        if before is not None:
            return before
    if body and url:
        raise refused("Specify exactly one of 'TemplateBody' or 'TemplateUrl'")
    if not body and not url:
        raise refused("Either Template URL or Template Body must be specified.")
    if url:
        return read_url(machine, account, region, url)
    if len(str(body).encode()) > template.TEMPLATE_BYTES:
        raise refused(
            f"1 validation error detected: Value '{str(body)[:200]}…' at 'templateBody' failed to satisfy constraint: Member "
            f"must have length less than or equal to {template.TEMPLATE_BYTES}"
        )
    return str(body)


def prepare(machine: Machine, stack: Stack, request: dict[str, Any], before: Stack | None = None) -> Prepared:
    """Everything about a template that can be known before it is carried out. Raises AwsError.

    `stack` is the stack it is for, `before` the same as it was.
    """
    text = text_of(machine, stack.account, stack.region, request, before.text if before else None)
    original = template.parse(text)
    if not names(original):
        template.check(original)
    reach = reach_of(machine, stack)
    chosen = parameters.values(original, request.get("Parameters") or [], before.parameters if before else {}, reach)
    made = original
    if names(original):
        world = PlannedWorld(StackWorld(machine, stack))
        expansion = Expansion(machine, stack.account, stack.region, chosen, lambda part: Scope(part, chosen, world))
        made = expansion.expand(original)
        template.check(made)
    references.check(made)
    return Prepared(text, original, made, chosen)


def reach_of(machine: Machine, stack: Stack) -> parameters.Reach:
    return lambda service, operation, request: machine.reach(stack.account, stack.region, service, operation, request)


def plan_of(machine: Machine, stack: Stack, prepared: Prepared) -> Plan:
    """Raises `ValidationError` for values that cannot be, as far as this is known beforehand."""
    world = PlannedWorld(StackWorld(machine, stack), stack.resources)
    plan = Plan(Scope(prepared.template, prepared.parameters, world))
    plan.check_values()
    return plan


def blank(machine: Machine, account: str, region: str, name: str) -> Stack:
    """A stack that nobody knows yet."""
    identifier = f"arn:aws:cloudformation:{region}:{account}:stack/{name}/{machine.ids.uuid()}"
    return Stack(identifier, name, account, region, machine.now())


def check_role(machine: Machine, stack: Stack, arn: str | None) -> None:
    """Raises `ValidationError` for a role that CloudFormation may not assume; one that is nowhere is let pass."""
    if not arn:
        return
    try:
        name = arn.rpartition("/")[2]
        role = machine.reach(stack.account, stack.region, "iam", "GetRole", {"RoleName": name})["Role"]
    except AwsError:
        return
    trust = role.get("AssumeRolePolicyDocument") or {}
    text = trust if isinstance(trust, str) else json.dumps(trust)
    if not any(word in text for word in ("cloudformation", f'"{stack.account}"', ":root", '"*"')):
        raise refused(f"Role {arn} is invalid or cannot be assumed")


def options(stack: Stack, request: dict[str, Any]) -> None:
    """What a request says beside the template."""
    if "Capabilities" in request:
        stack.capabilities = list(request["Capabilities"] or [])
    if "Tags" in request:
        stack.tags = [{"Key": tag["Key"], "Value": tag["Value"]} for tag in request["Tags"] or []]
    if "NotificationARNs" in request:
        stack.notification_arns = list(request["NotificationARNs"] or [])
    if "RollbackConfiguration" in request:
        stack.rollback = dict(request["RollbackConfiguration"] or {})
    stack.role_arn = request.get("RoleARN") or stack.role_arn
    stack.token = request.get("ClientRequestToken")


def new_stack(
    machine: Machine,
    account: str,
    region: str,
    request: dict[str, Any],
    parent: Stack | None = None,
    pattern: Stack | None = None,
) -> Stack:
    """A stack that is to be made; kept, without a status. `pattern` is of its stack set. Raises AwsError."""
    stack = blank(machine, account, region, request["StackName"])
    options(stack, request)
    check_role(machine, stack, stack.role_arn)
    if parent is not None:
        stack.parent_id, stack.root_id = parent.id, parent.root_id or parent.id
        stack.capabilities, stack.on_failure = parent.capabilities, "DO_NOTHING"
        stack.tags = [*stack.tags, *parent.tags]
    prepared = prepare(machine, stack, request, pattern)
    if parent is None:
        capabilities.check(prepared.original, prepared.template, stack.capabilities)
    plan_of(machine, stack, prepared)
    stack.text, stack.template, stack.parameters = prepared.text, prepared.template, prepared.parameters
    with machine.lock():
        machine.shelf(account, region).stacks[stack.id] = stack
    return stack


def changed_stack(
    machine: Machine, stack: Stack, request: dict[str, Any], pattern: Stack | None = None
) -> Stack | None:
    """What a stack is to become; None where nothing would change. Raises AwsError."""
    after = replace(stack)
    options(after, request)
    check_role(machine, after, request.get("RoleARN"))
    prepared = prepare(machine, after, request, pattern or stack)
    if stack.parent_id is None:
        capabilities.check(prepared.original, prepared.template, list(request.get("Capabilities") or []))
    plan_of(machine, after, prepared)
    after.text, after.template, after.parameters = prepared.text, prepared.template, prepared.parameters
    return after if changes.is_changed(machine, stack, after) else None
