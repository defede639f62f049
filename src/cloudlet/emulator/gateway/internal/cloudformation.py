"""`/_localstack/cloudformation/deploy`: a page that makes a stack of a template; and where custom resources answer.

The page needs no scripts: its first form takes the template's address (in S3) or its text, the second the stack's name,
region and parameters, and the answer to that one shows what came of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from cloudlet.emulator.kernel.call import Principal
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse
from cloudlet.emulator.protocol.xml_writer import escape

if TYPE_CHECKING:
    from cloudlet.emulator.app import Emulator

PATH = "/_localstack/cloudformation/deploy"
ACCOUNT, REGION = "000000000000", "us-east-1"
PARAMETER = "param_"  # before the names of fields that are parameters
CAPABILITIES = ("CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND")
STYLE = Path(__file__).parent / "deploy.css"
HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
        "frame-ancestors 'none'",
        "Cache-Control": "no-store",
        "Referrer-Policy": "same-origin",
    }
)


async def get_deploy(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """The form: of the template, or, where `templateURL` says which one it is, of its parameters."""
    return await form(emulator, request.params)


async def post_deploy(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """With a stack's name: makes the stack, 200 with its outputs and events, 400 with what was refused. Else the form."""
    fields = dict(parse_qsl(request.body.read().decode("utf-8", "replace"), keep_blank_values=True))
    if not fields.get("stackName"):
        return await form(emulator, fields)
    parameters = [
        {"ParameterKey": name.removeprefix(PARAMETER), "ParameterValue": value}
        for name, value in fields.items()
        if name.startswith(PARAMETER)
    ]
    wanted = {"StackName": fields["stackName"], "Parameters": parameters, "Capabilities": list(CAPABILITIES)}
    region = fields.get("region") or REGION
    try:
        await ask(emulator, region, "CreateStack", {**wanted, **template_of(fields)})
        return page(f"Stack {fields['stackName']}", await outcome(emulator, region, fields["stackName"]))
    except AwsError as error:
        return await form(emulator, fields, f"{error.code}: {error.message}")


async def ask(emulator: Emulator, region: str, operation: str, request: dict[str, Any]) -> dict[str, Any]:
    """An operation of CloudFormation, as the account's root. Raises AwsError."""
    dispatcher = emulator.dispatcher
    principal = Principal(ACCOUNT, "", "root", f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT)
    call = dispatcher.call("cloudformation", operation, principal, ACCOUNT, region)
    return await dispatcher.fallback.carry_out(call, request)


def template_of(fields: dict[str, str]) -> dict[str, str]:
    """The members of a request that say which template is meant."""
    if fields.get("templateURL"):
        return {"TemplateURL": fields["templateURL"]}
    return {"TemplateBody": fields["templateBody"]} if fields.get("templateBody") else {}


# --- the page


async def form(emulator: Emulator, fields: dict[str, str], problem: str = "") -> HttpResponse:
    template = template_of(fields)
    if not template:
        return page("Deploy a stack", warning(problem) + template_form(fields), 400 if problem else 200)
    region = fields.get("region") or REGION
    try:
        summary = await ask(emulator, region, "GetTemplateSummary", dict(template))
    except AwsError as error:
        return page("Deploy a stack", warning(problem or f"{error.code}: {error.message}") + template_form(fields), 400)
    made = warning(problem) + stack_form(fields, region, summary)
    return page("Deploy a stack", made, 400 if problem else 200)


def template_form(fields: dict[str, str]) -> str:
    return f"""
<p>The template is an object in a bucket of this emulator, or the text itself.</p>
<form method="post" action="{PATH}">
{field("templateURL", "Template URL", fields.get("templateURL", ""), hint="http://localhost:4566/bucket/template.yaml")}
<label for="templateBody">or its text</label>
<textarea id="templateBody" name="templateBody" rows="12" spellcheck="false">{escape(fields.get("templateBody", ""))}</textarea>
<button>Continue</button>
</form>"""


def stack_form(fields: dict[str, str], region: str, summary: dict[str, Any]) -> str:
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(fields[name])}">'
        for name in ("templateURL", "templateBody")
        if fields.get(name)
    )
    described = f"<p>{escape(summary['Description'])}</p>" if summary.get("Description") else ""
    types = "".join(f"<li>{escape(kind)}</li>" for kind in sorted(set(summary.get("ResourceTypes", ()))))
    parameters = "".join(parameter_field(fields, parameter) for parameter in summary.get("Parameters", ()))
    return f"""
{described}
<form method="post" action="{PATH}">
{hidden}
{field("stackName", "Stack name", fields.get("stackName", "my-stack"), required=True)}
{field("region", "Region", region, required=True)}
{f"<h2>Parameters</h2>{parameters}" if parameters else ""}
<h2>Resources</h2><ul>{types}</ul>
<button>Deploy</button> <a href="{PATH}">Another template</a>
</form>"""


def parameter_field(fields: dict[str, str], parameter: dict[str, Any]) -> str:
    name = parameter["ParameterKey"]
    value = fields.get(PARAMETER + name, parameter.get("DefaultValue", ""))
    allowed = (parameter.get("ParameterConstraints") or {}).get("AllowedValues")
    hint = parameter.get("Description", "")
    if not allowed:
        kind = "password" if parameter.get("NoEcho") else "text"
        return field(PARAMETER + name, name, value, kind=kind, hint=hint)
    options = "".join(
        f"<option{' selected' if option == value else ''}>{escape(option)}</option>" for option in allowed
    )
    key = escape(PARAMETER + name)
    return f'<label for="{key}">{escape(name)}</label><select id="{key}" name="{key}">{options}</select>{note(hint)}'


def field(name: str, label: str, value: str, *, kind: str = "text", hint: str = "", required: bool = False) -> str:
    key = escape(name)
    needed = " required" if required else ""
    return (
        f'<label for="{key}">{escape(label)}</label>'
        f'<input id="{key}" name="{key}" type="{kind}" value="{escape(value)}"{needed} autocomplete="off" spellcheck="false">'
        f"{note(hint)}"
    )


def note(text: str) -> str:
    return f"<small>{escape(text)}</small>" if text else ""


def warning(text: str) -> str:
    return f'<p class="problem" role="alert">{escape(text)}</p>' if text else ""


async def outcome(emulator: Emulator, region: str, name: str) -> str:
    """What became of the stack, with a link that looks again."""
    stack = (await ask(emulator, region, "DescribeStacks", {"StackName": name}))["Stacks"][0]
    events = (await ask(emulator, region, "DescribeStackEvents", {"StackName": stack["StackId"]}))["StackEvents"]
    status = stack["StackStatus"]
    kind = "good" if status.endswith("_COMPLETE") and "ROLLBACK" not in status else "problem"
    outputs = "".join(
        f"<tr><th>{escape(output['OutputKey'])}</th><td>{escape(output['OutputValue'])}</td></tr>"
        for output in stack.get("Outputs", ())
    )
    rows = "".join(
        f"<tr><td>{escape(event['LogicalResourceId'])}</td><td>{escape(event['ResourceType'])}</td>"
        f"<td>{escape(event['ResourceStatus'])}</td><td>{escape(event.get('ResourceStatusReason', ''))}</td></tr>"
        for event in events
    )
    again = f"{PATH}/status?{urlencode({'stackName': name, 'region': region})}"
    return f"""
<p class="{"busy" if status.endswith("_IN_PROGRESS") else kind}" role="status"><strong>{escape(status)}</strong>
{escape(stack.get("StackStatusReason", ""))}</p>
{f"<h2>Outputs</h2><div class='wide'><table>{outputs}</table></div>" if outputs else ""}
<h2>Events</h2>
<div class="wide"><table><thead><tr><th>Resource</th><th>Type</th><th>Status</th><th>Reason</th></tr></thead>
<tbody>{rows}</tbody></table></div>
<p><a href="{escape(again)}">Look again</a> <a href="{PATH}">Deploy another one</a></p>"""


async def get_status(emulator: Emulator, request: HttpRequest) -> HttpResponse:
    """The page of a stack that was made; 404 where there is none."""
    name, region = request.params.get("stackName", ""), request.params.get("region") or REGION
    if not name:
        return page("Deploy a stack", warning("Name the stack with stackName."), 404)
    try:
        return page(f"Stack {name}", await outcome(emulator, region, name))
    except AwsError as error:
        return page("Deploy a stack", warning(f"{error.code}: {error.message}"), 404)


def page(title: str, body: str, status: int = 200) -> HttpResponse:
    text = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(title)} · Cloudlet</title>
<style>{STYLE.read_text(encoding="utf-8")}</style>
</head>
<body>
<main>
<h1>{escape(title)}</h1>
{body}
</main>
</body>
</html>
"""
    return HttpResponse(status, dict(HEADERS), text.encode())


# --- answers from outside


def put_signal(emulator: Emulator, request: HttpRequest, token: str) -> HttpResponse:
    """The response of a custom resource, or a signal to a wait condition; 404 where nobody waits for it."""
    return HttpResponse(200 if emulator.dispatcher.fallback.tell("stacks", token, request.body.read()) else 404)
