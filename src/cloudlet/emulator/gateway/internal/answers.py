"""The forms in which internal endpoints answer."""

from __future__ import annotations

from typing import Any

import orjson

from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse


class InternalError(Exception):
    """An internal endpoint refuses: HTTP status, a stable code, and a sentence that says what to do."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def json_answer(value: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(status, {"Content-Type": "application/json"}, orjson.dumps(value))


def text_answer(text: str, status: int = 200) -> HttpResponse:
    return HttpResponse(status, {"Content-Type": "text/plain; charset=utf-8"}, text.encode())


def error_answer(error: InternalError) -> HttpResponse:
    return json_answer({"error": True, "code": error.code, "message": error.message}, error.status)


def json_object(request: HttpRequest) -> dict[str, Any]:
    """The request's body as a JSON object; an empty body is an empty object. Raises InternalError 400."""
    raw = request.body.read()
    if not raw.strip():
        return {}
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise InternalError(400, "request.json", f"The body is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise InternalError(400, "request.json", "The body is not a JSON object.")
    return value
