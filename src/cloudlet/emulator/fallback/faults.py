"""moto's results and errors, made what AWS's front ends would have let through.

`modelled` gives an error the status that AWS answers with: 400 for every client error of the services that speak JSON
over one path, what the model says (`httpStatusCode`) for the others. `tidy` takes away what no service of AWS ever sends:
members without a value, and empty tokens for a next page that there is not.
"""

from __future__ import annotations

from typing import Any

from cloudlet.emulator.kernel.errors import UnmodelledError
from cloudlet.emulator.protocol.models import OperationModel

TOKENS = frozenset({"NextToken", "nextToken", "NextMarker", "nextMarker", "Marker", "marker", "NextPageToken"})


def modelled(error: UnmodelledError, operation: OperationModel) -> UnmodelledError:
    """The same error with AWS's status."""
    if error.status >= 500:
        return error
    protocols = operation.service.protocols
    if "json" in protocols and "query" not in protocols:
        status = 400
    else:
        status = status_of(error.code, operation) or error.status
    if status == error.status:
        return error
    return UnmodelledError(error.code, error.message, status, **error.members)


def status_of(code: str, operation: OperationModel) -> int | None:
    """The status that the model gives an error of this operation."""
    for shape in operation.errors:
        said = shape.traits.get("error", {})
        if code in (shape.name, said.get("code")):
            status = said.get("httpStatusCode")
            return int(status) if status else None
    return None


def tidy(result: dict[str, Any]) -> dict[str, Any]:
    """A result without members that have no value."""
    return {
        name: without_nothing(value)
        for name, value in result.items()
        if value is not None and (value != "" or name not in TOKENS)
    }


def without_nothing(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_nothing(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nothing(item) for item in value]
    return value
