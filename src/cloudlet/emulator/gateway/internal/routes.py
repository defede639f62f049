"""The internal endpoints on one screen, and how a path finds its function.

An endpoint is a function `(emulator, request, **path parameters) -> HttpResponse`, or an `async def` one.
`docs/internal-api.md` describes each.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from urllib.parse import unquote

from cloudlet.emulator.gateway.internal import (
    chaos,
    clock,
    cloudformation,
    cloudwatch,
    config,
    diagnose,
    document,
    dynamodb,
    events,
    health,
    iam,
    iam_check,
    info,
    init,
    lambda_,
    license,
    plugins,
    pod_files,
    pods,
    resources,
    ses,
    snapshots,
    sns,
    sqs,
    state,
    swagger,
)
from cloudlet.emulator.gateway.internal.answers import InternalError, error_answer
from cloudlet.emulator.kernel.errors import AwsError
from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from cloudlet.emulator.app import Emulator

LOG = logging.getLogger("cloudlet.internal")

Answer = HttpResponse | Awaitable[HttpResponse]
Endpoint = Callable[..., Answer]

ARN = "{arn}"
METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")

ROUTES: tuple[tuple[str, str, Endpoint], ...] = (
    ("GET", "/_localstack/health", health.get_health),
    ("HEAD", "/_localstack/health", health.head_health),
    ("POST", "/_localstack/health", health.post_health),
    ("PUT", "/_localstack/health", health.put_health),
    ("GET", "/_localstack/info", info.get_info),
    ("GET", "/_localstack/init", init.get_init),
    ("GET", "/_localstack/init/{stage}", init.get_init_stage),
    ("GET", "/_localstack/ready", init.get_ready),
    ("GET", "/_localstack/plugins", plugins.get_plugins),
    ("GET", "/_localstack/config", config.get_config),
    ("POST", "/_localstack/config", config.post_config),
    ("GET", "/_localstack/diagnose", diagnose.get_diagnose),
    ("GET", "/_localstack/usage", diagnose.get_usage),
    ("GET", "/_localstack/stackinfo", diagnose.get_stackinfo),
    ("GET", "/_localstack/license", license.get_license),
    ("GET", "/_localstack/licenseinfo", diagnose.get_licenseinfo),
    ("GET", "/_localstack/resources", resources.get_resources),
    ("GET", "/openapi.yaml", document.get_document),
    ("GET", "/_localstack/swagger", swagger.get_page),
    ("GET", "/_localstack/pods/environment", pods.get_environment),
    ("GET", "/_localstack/pods", pods.list_pods),
    ("POST", "/_localstack/pods", pod_files.import_state),
    ("GET", "/_localstack/pods/state", pod_files.export_state),
    ("GET", "/_localstack/pods/state/metamodel", pod_files.get_metamodel),
    ("GET", "/_localstack/pods/remotes", pods.list_remotes),
    ("GET", "/_localstack/pods/remotes/{name}", pods.get_remote),
    ("POST", "/_localstack/pods/remotes/{name}", pods.set_remote),
    ("DELETE", "/_localstack/pods/remotes/{name}", pods.delete_remote),
    ("POST", "/_localstack/pods/{name}", pods.save_pod),
    ("PUT", "/_localstack/pods/{name}", pods.load_pod),
    ("DELETE", "/_localstack/pods/{name}", pods.delete_pod),
    ("GET", "/_localstack/pods/{name}/versions", pods.list_versions),
    ("GET", "/_localstack/pods/{name}/diff", pods.compare_pod),
    ("POST", "/_localstack/state/reset", state.reset_state),
    ("POST", "/_localstack/state/save", state.save_state),
    ("POST", "/_localstack/state/load", state.load_state),
    ("POST", "/_localstack/state/{service}/reset", state.reset_service),
    ("POST", "/_localstack/state/{service}/save", state.save_service),
    ("POST", "/_localstack/state/{service}/load", state.load_service),
    ("GET", "/_localstack/chaos/faults", chaos.get_faults),
    ("POST", "/_localstack/chaos/faults", chaos.set_faults),
    ("PATCH", "/_localstack/chaos/faults", chaos.add_faults),
    ("DELETE", "/_localstack/chaos/faults", chaos.delete_faults),
    ("GET", "/_localstack/chaos/effects", chaos.get_effects),
    ("POST", "/_localstack/chaos/effects", chaos.set_effects),
    ("GET", "/_localstack/cloudformation/deploy", cloudformation.get_deploy),
    ("POST", "/_localstack/cloudformation/deploy", cloudformation.post_deploy),
    ("GET", "/_localstack/cloudformation/deploy/status", cloudformation.get_status),
    ("PUT", "/_cloudlet/cloudformation/signals/{token}", cloudformation.put_signal),
    ("GET", "/_aws/sqs/messages", sqs.browse_queue),
    ("POST", "/_aws/sqs/messages", sqs.browse_queue),
    ("GET", "/_aws/sqs/messages/{region}/{account}/{queue}", sqs.browse_queue_by_path),
    ("GET", "/_aws/sns/platform-endpoint-messages", sns.list_endpoint_messages),
    ("DELETE", "/_aws/sns/platform-endpoint-messages", sns.forget_endpoint_messages),
    ("GET", "/_aws/sns/sms-messages", sns.list_sms_messages),
    ("DELETE", "/_aws/sns/sms-messages", sns.forget_sms_messages),
    ("GET", "/_aws/sns/subscription-tokens/{arn}", sns.get_subscription_token),
    ("GET", "/_aws/sns/phone-opt-outs", sns.list_opted_out),
    ("GET", "/_aws/sns/{file}", sns.get_certificate),
    ("GET", "/_aws/ses", ses.list_messages),
    ("DELETE", "/_aws/ses", ses.forget_messages),
    ("GET", "/_aws/cloudwatch/metrics/raw", cloudwatch.list_metrics),
    ("DELETE", "/_aws/dynamodb/expired", dynamodb.delete_expired),
    ("GET", "/_aws/events/rules/{arn}/trigger", events.trigger_rule),
    ("GET", "/_aws/lambda/runtimes", lambda_.list_runtimes),
    ("GET", "/_aws/lambda/code/{account}/{region}/{function}/{version}", lambda_.get_code),
    ("GET", "/_aws/lambda/layers/{account}/{region}/{layer}/{version}", lambda_.get_layer),
    ("GET", "/_aws/iam/config", iam.get_config),
    ("POST", "/_aws/iam/config", iam.set_config),
    ("POST", "/_aws/iam/check-actions-allowed", iam_check.check_actions),
    ("GET", "/_cloudlet/clock", clock.get_clock),
    ("POST", "/_cloudlet/clock/freeze", clock.freeze_clock),
    ("POST", "/_cloudlet/clock/set", clock.set_clock),
    ("POST", "/_cloudlet/clock/advance", clock.advance_clock),
    ("POST", "/_cloudlet/clock/resume", clock.resume_clock),
    ("GET", "/_cloudlet/snapshots", snapshots.list_snapshots),
    ("PUT", "/_cloudlet/snapshots/{name}", snapshots.save_snapshot),
    ("POST", "/_cloudlet/snapshots/{name}/restore", snapshots.restore_snapshot),
    ("DELETE", "/_cloudlet/snapshots/{name}", snapshots.delete_snapshot),
)


class InternalApi:
    """Answers the internal paths of one emulator."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._exact = {(method, path): endpoint for method, path, endpoint in ROUTES if "{" not in path}
        self._patterns = tuple((method, path.split("/"), endpoint) for method, path, endpoint in ROUTES if "{" in path)

    def __call__(self, request: HttpRequest) -> Answer:
        path = request.path.rstrip("/")
        endpoint = self._exact.get((request.method, path))
        parameters: dict[str, str] = {}
        if endpoint is None:
            endpoint, parameters = self._by_pattern(request.method, path)
        if endpoint is None:
            return self._not_found(path)
        try:
            answer = endpoint(self._emulator, request, **parameters)
        except InternalError as error:
            return error_answer(error)
        except Exception as error:  # renders: an internal endpoint's failure is an answer too
            return failure(error)
        return answer if isinstance(answer, HttpResponse) else self._wait(answer)

    async def _wait(self, answer: Awaitable[HttpResponse]) -> HttpResponse:
        try:
            return await answer
        except InternalError as error:
            return error_answer(error)
        except Exception as error:  # renders: an internal endpoint's failure is an answer too
            return failure(error)

    def _by_pattern(self, method: str, path: str) -> tuple[Endpoint | None, dict[str, str]]:
        split = [unquote(part) for part in path.split("/")]
        for wanted_method, pattern, endpoint in self._patterns:
            parts = with_whole_arn(split, pattern)
            if wanted_method != method or len(pattern) != len(parts):
                continue
            parameters = {}
            for wanted, part in zip(pattern, parts, strict=True):
                if wanted.startswith("{"):
                    parameters[wanted[1:-1]] = part
                elif wanted != part:
                    break
            else:
                return endpoint, parameters
        return None, {}

    def _not_found(self, path: str) -> HttpResponse:
        """Nothing here. Clients take a 404 with an empty body for "this feature is not there", which is what it means."""
        known = {method for method, candidate in self._exact if candidate == path}
        known |= {method for method in METHODS if self._by_pattern(method, path)[0] is not None}
        if known:
            return HttpResponse(405, {"Allow": ", ".join(sorted(known))})
        return HttpResponse(404)


def with_whole_arn(parts: list[str], pattern: list[str]) -> list[str]:
    """The parts of a path with those joined that `{arn}` stands for: an ARN has slashes, and not everybody escapes them."""
    more = len(parts) - len(pattern)
    if more <= 0 or ARN not in pattern:
        return parts
    at = pattern.index(ARN)
    return [*parts[:at], "/".join(parts[at : at + more + 1]), *parts[at + more + 1 :]]


def failure(error: Exception) -> HttpResponse:
    """What a service refuses keeps its status and words; anything else is a fault of ours."""
    if isinstance(error, AwsError) and error.status < 500:
        return error_answer(InternalError(error.status, "request.invalid", f"{error.code}: {error.message}"))
    LOG.error("an internal endpoint failed", exc_info=error)
    return error_answer(InternalError(500, "internal", f"{type(error).__name__}: {error}"))
