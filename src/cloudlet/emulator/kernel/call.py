"""The one argument that every operation gets beside its request.

`Call` is closed: the attributes in `__slots__` and no other, ever. What an operation may know or do is here.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

if TYPE_CHECKING:
    from cloudlet.emulator.effects.ids import Ids
    from cloudlet.emulator.effects.processes import Programs
    from cloudlet.emulator.protocol.message import HttpRequest
    from cloudlet.emulator.store.kv import Transaction
    from cloudlet.settings import Settings


class Principal(msgspec.Struct, frozen=True):
    """Who calls. `kind` is `root`, `user`, `session`, `service` or `anonymous`.

    `arn` and `user_id` are what the access key alone tells (the account's root for unknown keys); STS and IAM know
    more about keys that they issued and look them up by `access_key_id`.
    """

    account_id: str
    access_key_id: str
    kind: str
    arn: str
    user_id: str


class Runtime(Protocol):
    """What a call needs from the running emulator; `gateway.dispatch.Dispatcher` in production."""

    programs: Programs

    def invoke(
        self, call: Call, service: str, operation: str, request: dict[str, Any], principal: Principal | None
    ) -> Any: ...

    def transaction(self, call: Call, *, read_only: bool = False) -> AbstractContextManager[Transaction]: ...

    async def changed(self, prefix: bytes, timeout_seconds: float) -> bool: ...

    async def reach(
        self, call: Call, service: str, operation: str, request: dict[str, Any], *, is_document: bool
    ) -> dict[str, Any]: ...


class Call:
    """One operation being carried out.

    - `request_id`: AWS's request id of the answer. `now`: seconds since the epoch, UTC, one value for the whole call.
    - `tx`: the open transaction of a synchronous operation. An `async def` operation has none until it enters
      `with call.transaction() as tx:` (inside that block `call.tx` is the same transaction).
    - `ids`: the one source of random names. `settings`: the emulator's frozen settings.
    - `http`: the HTTP request behind the call; None for jobs and for calls made through `invoke`.
    """

    __slots__ = (
        "_after_commit",
        "_runtime",
        "account_id",
        "http",
        "ids",
        "now",
        "operation",
        "partition",
        "principal",
        "region",
        "request_id",
        "service",
        "settings",
        "tx",
    )

    tx: Transaction

    def __init__(
        self,
        runtime: Runtime,
        settings: Settings,
        ids: Ids,
        now: float,
        request_id: str,
        principal: Principal,
        account_id: str,
        region: str,
        partition: str,
        service: str,
        operation: str,
        http: HttpRequest | None,
    ) -> None:
        self._runtime = runtime
        self._after_commit: list[Callable[[], None]] | None = None
        self.settings = settings
        self.ids = ids
        self.now = now
        self.request_id = request_id
        self.principal = principal
        self.account_id = account_id
        self.region = region
        self.partition = partition
        self.service = service
        self.operation = operation
        self.http = http

    def invoke(
        self, service: str, operation: str, request: dict[str, Any], *, principal: Principal | None = None
    ) -> dict[str, Any]:
        """Carry out another service's synchronous operation inside this call's transaction.

        It runs under `principal`, or under this call's. Raises what the operation raises. The target's account and
        region are this call's; use `invoke_in` where the target lives elsewhere.
        """
        result: dict[str, Any] = self._runtime.invoke(self, service, operation, request, principal)
        return result

    def invoke_in(
        self,
        account_id: str,
        region: str,
        service: str,
        operation: str,
        request: dict[str, Any],
        *,
        principal: Principal | None = None,
    ) -> dict[str, Any]:
        """`invoke` into another account or region (an ARN's)."""
        return self.at(account_id, region).invoke(service, operation, request, principal=principal)

    def at(self, account_id: str, region: str) -> Call:
        """This call, in another account or region, sharing the transaction and the commit hooks."""
        if account_id == self.account_id and region == self.region:
            return self
        moved = self.__class__.__new__(self.__class__)
        if self._after_commit is None:
            self._after_commit = []
        for name in Call.__slots__:
            if name != "tx":
                setattr(moved, name, getattr(self, name))
        if hasattr(self, "tx"):
            moved.tx = self.tx
        moved.account_id = account_id
        moved.region = region
        return moved

    def after_commit(self, action: Callable[[], None]) -> None:
        """Run `action` once this call's transaction has committed; never when it rolls back."""
        if self._after_commit is None:
            self._after_commit = []
        self._after_commit.append(action)

    def transaction(self, *, read_only: bool = False) -> AbstractContextManager[Transaction]:
        """For `async def` operations: one short transaction. The block must not await."""
        return self._runtime.transaction(self, read_only=read_only)

    async def changed(self, prefix: bytes, timeout_seconds: float) -> bool:
        """Sleep until a commit touches a key that begins with `prefix`; False when the time was up first.

        Also returns True when the watch may have missed a commit, so look again after either answer.
        """
        return await self._runtime.changed(prefix, timeout_seconds)

    async def reach(
        self, service: str, operation: str, request: dict[str, Any], *, is_document: bool = False
    ) -> dict[str, Any]:
        """For jobs: any operation of any service, native or not, in a transaction of its own. Raises AwsError.

        Waits without stopping the event loop, unlike `invoke`. `is_document`: a user wrote the request as JSON; it is
        read and checked against the model first.
        """
        return await self._runtime.reach(self, service, operation, request, is_document=is_document)

    @property
    def programs(self) -> Programs:
        """For `async def` operations and jobs: the programs that the emulator runs for its users."""
        return self._runtime.programs
