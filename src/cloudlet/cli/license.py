"""`cloudlet license`: which license this machine has, and what is in the way of one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import msgspec

from cloudlet import __version__
from cloudlet.cli import tables
from cloudlet.cli.context import LICENSE, Context, Failed, pass_context
from cloudlet.cli.doctor import Doctor, draw, outcome
from cloudlet.cli.sources import active_token
from cloudlet.emulator.activation.activate import COMMUNITY
from cloudlet.emulator.activation.clock import moment
from cloudlet.emulator.activation.credentials import Credentials, find_credentials
from cloudlet.emulator.activation.licensed import Found, Licenses
from cloudlet.emulator.activation.machine import identify_machine
from cloudlet.emulator.activation.online import activate_online
from cloudlet.emulator.activation.state import ActivationFailed, ActivationState
from cloudlet.license.effects import SYSTEM
from cloudlet.license.envelope import EnvelopeRefused, TrustStore, confirmation
from cloudlet.license.reasons import Failure, failure
from cloudlet.license.verify import VerifiedLicense


@click.group()
def license() -> None:  # the command's name
    """Show, fetch, install and examine the license.

    \b
    Examples:
      cloudlet license doctor
      cloudlet license activate
      cloudlet license install offline.lic
    """


@license.command()
@tables.format_option
@pass_context
def info(context: Context, form: str) -> None:
    """The license on this machine and what it opens. Asks nobody; exit code 55 when there is none that is good."""
    licenses = licenses_of(context)
    found = licenses.find(trusted(licenses))
    verified = found.usable or found.known
    if verified is None:
        raise refused(found.given_problem or found.problem or failure("credentials.missing"), context)
    phase = "active_file" if verified.is_file else "active_cached" if found.usable else "stale"
    show_state(context, licenses.state(verified, phase, str(found.path)), form)  # type: ignore[arg-type]
    if found.usable is None:
        raise refused(found.clock_problem or licenses.stale(verified, ""), context)


@license.command()
@click.option("--offline", is_flag=True, help="Do not ask the control plane; judge the license on this machine.")
@click.option("--force", is_flag=True, help="Ask even when the license on this machine is fresh (the default).")
@pass_context
def activate(context: Context, offline: bool, force: bool) -> None:
    """Fetch the license now, as a start would. Exit code 55 when it is refused."""
    licenses = licenses_of(context)
    trust = trusted(licenses)
    found = licenses.find(trust)
    said: list[str] = []
    if offline:
        if found.usable is None:
            raise refused(found.clock_problem or found.problem or failure("license.stale"), context)
        state = licenses.open_with(found, said.append)
    else:
        if licenses.credentials is None:
            raise refused(failure("credentials.missing", web=context.emulator.web_app_url), context)
        licenses.loops.forget()  # who asks by hand has put something right
        known = Found(known=found.known)
        try:
            licenses.cache.folder.mkdir(parents=True, exist_ok=True)
            state = activate_online(asking(licenses), trust, known, said.append)
        except ActivationFailed as error:
            raise refused(error.failure, context) from None
    context.answer(data_of(state), "\n".join(said))


@license.command()
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=Path("license-request.json"))
@click.option("--bind-token", is_flag=True, help="The file is to work with the token that is stored or set here alone.")
@pass_context
def request(context: Context, out: Path, bind_token: bool) -> None:
    """Write a request file, for a license file that works on this machine without a network."""
    machine = identify_machine(context.emulator)
    content: dict[str, Any] = {
        "format": "cloudlet-license-request-1",
        "product": {"name": "cloudlet", "version": __version__},
        "machine": {"id": machine.id, "system": machine.system},
    }
    if bind_token:
        credentials = licenses_of(context).credentials
        if credentials is None:
            raise refused(failure("credentials.missing", web=context.emulator.web_app_url), context)
        content["cnf"] = confirmation(credentials.token)
    try:
        out.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise Failed(f"{out}: {error.strerror}", code="file.write") from None
    advice = f"An admin issues a file for it on {context.emulator.web_app_url}/workspace/offline"
    context.answer({"path": str(out), **content}, f"Request for machine {machine.id} written to {out}\n{advice}")


@license.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--trust-keys",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The control plane's /.well-known/license-keys.json, for a machine that never reached it.",
)
@pass_context
def install(context: Context, file: Path, trust_keys: Path | None) -> None:
    """Verify a license file and use it from the next start on. The old one stays when the new one is no good."""
    licenses = licenses_of(context)
    trust = trusted(licenses)
    if trust_keys is not None:
        try:
            trust = trust.with_keys(TrustStore.parse(trust_keys.read_bytes()).keys.values())
        except EnvelopeRefused as error:
            raise Failed(f"{trust_keys}: {error.problem}", code="license.format", exit_code=LICENSE) from None
    judged = licenses.judge(file, trust)
    if not isinstance(judged, VerifiedLicense):
        raise refused(judged or failure("license.format", path=str(file), problem="cannot be read"), context)
    cache = licenses.cache
    problem = cache.write(cache.trust_path, trust.render()) if trust_keys else ""
    problem = problem or cache.write(cache.installed_path, file.read_bytes())
    if problem:
        raise Failed(problem, code="file.write")
    until = moment(judged.claims.exp)
    data = {"path": str(cache.installed_path), "plan": judged.claims.plan, "expires": until}
    context.answer(data, f"License of plan {judged.claims.plan} installed, valid until {until}")


@license.command()
@pass_context
def remove(context: Context) -> None:
    """Remove the installed license file and the remembered license. A running emulator goes on."""
    cache = licenses_of(context).cache
    removed = [str(path) for path in (cache.installed_path, cache.license_path) if path.exists()]
    for path in removed:
        try:
            Path(path).unlink()
        except OSError as error:
            raise Failed(f"{path}: {error.strerror}", code="file.write") from None
    context.answer({"removed": removed}, "\n".join(f"Removed {path}" for path in removed) or "There was no license")


@license.command()
@pass_context
def doctor(context: Context) -> None:
    """Examine every step to a license, and name the fix for each that fails.

    Token, proxy, name, connection, TLS, server, clock, what the control plane would say, and the license on this machine.
    Uses no license and no CI credit up. Exit code 55 when a start would not be activated.
    """
    active = active_token(context.command)
    examination = Doctor(context.command, context.emulator, licenses_of(context, lenient=True), active)
    steps = []
    for step in examination.examine():
        steps.append(step)
        if not context.json:
            draw(step)
    failed = outcome(steps, LICENSE)
    data = {"success": failed is None, "steps": msgspec.to_builtins(steps)}
    if failed is None:
        context.answer(data, "\nAll is well: a start would be activated.")
    elif context.json:
        context.answer_and_fail(data, None, failed)
    else:
        click.echo(f"\nA start would not be activated. First: {failed.code}", err=True)
        click.get_current_context().exit(failed.exit_code)


def licenses_of(context: Context, *, lenient: bool = False) -> Licenses:
    """This machine's licenses for the token that `start` would use. `lenient`: a wrong token is none."""
    active = active_token(context.command)
    if active.is_stored:
        context.use_variables({"LOCALSTACK_AUTH_TOKEN": active.value})
    found = find_credentials(context.emulator)
    if isinstance(found, Failure) and not lenient:
        raise refused(found, context)
    credentials = found if isinstance(found, Credentials) else None
    return Licenses(context.emulator, identify_machine(context.emulator), credentials, SYSTEM)


def asking(licenses: Licenses) -> Licenses:
    """The same, but a fresh license is no reason not to ask."""
    settings = licenses.settings
    changed = type(settings)(
        **{**{name: getattr(settings, name) for name in settings.__struct_fields__}, "license_offline": "never"}
    )
    return Licenses(changed, licenses.machine, licenses.credentials, licenses.effects)


def trusted(licenses: Licenses) -> TrustStore:
    try:
        return licenses.trusted()
    except EnvelopeRefused as error:
        raise Failed(error.problem, code="license.format", exit_code=LICENSE) from None


def refused(why: Failure, context: Context) -> Failed:
    return Failed(why.text(), code=why.code, actions=why.advice(), exit_code=LICENSE)


def show_state(context: Context, state: ActivationState, form: str) -> None:
    data = data_of(state)
    if context.json:
        context.answer(data)
    else:
        tables.show(data, form, ("License", "Value"))


def data_of(state: ActivationState) -> dict[str, Any]:
    return {
        "state": state.phase,
        "license validity": "stale" if state.phase == "stale" else "valid" if state is not COMMUNITY else "none",
        "plan": state.plan,
        "license id": state.license_id,
        "source": state.source,
        "offline until": moment(state.offline_until),
        "expires": moment(state.expires),
        "entitlements": [name for name, _limit in state.entitlements],
    }
