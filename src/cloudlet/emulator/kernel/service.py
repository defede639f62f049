"""What a service is: a name, the modules that hold its operations, and its jobs."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from cloudlet.emulator.effects.jobs import JobHandler
    from cloudlet.emulator.kernel.call import Call
    from cloudlet.emulator.protocol.message import HttpRequest, HttpResponse

Operation = TypeVar("Operation", bound=Callable[..., Any])


def read_only(operation: Operation) -> Operation:
    """The operation reads: it gets a snapshot, and writing raises."""
    operation.__cloudlet_read_only__ = True  # type: ignore[attr-defined]
    return operation


def read_write(operation: Operation) -> Operation:
    """The operation writes: what it wrote is committed when it returns."""
    operation.__cloudlet_read_only__ = False  # type: ignore[attr-defined]
    return operation


class Service:
    """A natively served AWS service.

    - `modules`: where the operations are; `create_queue` carries out `CreateQueue`. Only functions marked with
      `read_only` or `read_write` (or marked `async def`) count.
    - `jobs`: handlers of the job kinds that this service enqueues.
    - `parsers`: for requests that no model describes (S3's POST form): pseudo-operation name -> parser of the request.
      Its operation returns an `HttpResponse` itself.
    - `finish`: last touch on each answer, errors included (S3's CORS headers); gets the call, the request, the response.
    - `background`: what runs as long as the emulator does, begun when the service is loaded, in whatever account: watchers
      of other services (`effects.background`). It gets a call without a transaction.
    - `reset`: called when the state of the service has to be forgotten beyond its tables (rarely needed).
    """

    __slots__ = ("background", "finish", "jobs", "modules", "name", "parsers")

    def __init__(
        self,
        name: str,
        *,
        modules: tuple[ModuleType, ...],
        jobs: tuple[JobHandler, ...] = (),
        parsers: dict[str, Callable[[HttpRequest], dict[str, Any]]] | None = None,
        finish: Callable[[Call, HttpRequest, HttpResponse], None] | None = None,
        background: Callable[[Call], Coroutine[Any, Any, None]] | None = None,
    ) -> None:
        self.name = name
        self.modules = modules
        self.jobs = jobs
        self.parsers = parsers or {}
        self.finish = finish
        self.background = background
