"""Which API, stage and path a request is for.

http://<api>.execute-api.<region>.localhost.localstack.cloud:4566/<stage>/<path>
/_aws/execute-api/<api>/<stage>/<path>
/restapis/<api>/<stage>/_user_request_/<path>
"""

from __future__ import annotations

from typing import NamedTuple

from cloudlet.emulator.protocol.message import HttpRequest

HOST = ".execute-api."
PREFIX = "/_aws/execute-api/"
OLD_PREFIX = "/restapis/"
OLD_MARK = "_user_request_"


class Address(NamedTuple):
    """`rest`: everything behind the API, with a slash; its first part may be a stage. `stage`: known where not empty."""

    api_id: str
    rest: str
    stage: str = ""


def find_address(request: HttpRequest) -> Address | None:
    """None for a request to AWS itself."""
    path = request.path
    if path.startswith(PREFIX):
        api_id, _, rest = path.removeprefix(PREFIX).partition("/")
        return Address(api_id, f"/{rest}")
    if path.startswith(OLD_PREFIX) and OLD_MARK in path:
        parts = path.removeprefix(OLD_PREFIX).split("/", 3)
        if len(parts) > 2 and parts[2] == OLD_MARK:
            return Address(parts[0], f"/{parts[1]}/{parts[3] if len(parts) > 3 else ''}", parts[1])
    if HOST in request.headers.get("host", ""):
        return Address(request.host.partition(".")[0], path)
    return None
