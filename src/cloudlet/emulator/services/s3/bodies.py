"""The contents of objects and parts: small ones in the store beside the metadata, large ones in blobs.

keep        the payload of a request                     -> (kind, body id)
keep_bytes  bytes that we made                           -> (kind, body id)
keep_chunks bytes that come in pieces                    -> (kind, body id)
share       the same content for another object          -> (kind, body id)
join        one content out of several                   -> (kind, body id)
content     what to answer a read with
read        an object's bytes, in memory
discard     one owner less
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.protocol.message import Body, ResponseBody
from cloudlet.emulator.services.s3.records import BLOB, BODIES, EMPTY, INLINE, MANIFESTS, BodyRecord
from cloudlet.emulator.store import blobs
from cloudlet.emulator.store.kv import Transaction

if TYPE_CHECKING:
    from cloudlet.emulator.services.s3.records import ObjectRecord, PartRecord

INLINE_BYTES = 64 * 1024
CHUNK_BYTES = 4 * 1024 * 1024


def new_body_id(call: Call) -> str:
    """Sorts by time, so that bodies are appended to the table rather than scattered over it."""
    return f"{int(call.now * 1000):011x}{call.ids.hex(13)}"


def keep(call: Call, body: Body, reuse: str = "") -> tuple[int, str]:
    """Store a request's payload. `reuse` is the body id of inline content that is being replaced."""
    if not body.size:
        return EMPTY, ""
    data = getattr(body, "data", None)
    if data is None:
        return BLOB, blobs.link(call.tx, body)
    return keep_bytes(call, data, reuse)


def keep_bytes(call: Call, data: bytes, reuse: str = "") -> tuple[int, str]:
    if not data:
        return EMPTY, ""
    if len(data) > INLINE_BYTES:
        return BLOB, blobs.link(call.tx, data)
    body_id = reuse or new_body_id(call)
    BODIES.put(call.tx, BodyRecord(body_id, data))
    return INLINE, body_id


def keep_chunks(call: Call, pieces: Iterable[bytes]) -> tuple[int, str]:
    """Large content that comes in pieces, never held in memory as a whole."""
    writer = call.tx.blobs.writer()
    try:
        for piece in pieces:
            writer.write(piece)
    except BaseException:
        writer.abort()
        raise
    body = writer.finish()
    call.tx.on_abort(body.discard)
    return BLOB, blobs.link(call.tx, body)


def share(call: Call, body: int, body_id: str) -> tuple[int, str]:
    """The same content under an owner of its own: small content is copied, a blob gets one more link."""
    if body == INLINE:
        return keep_bytes(call, inline(call.tx, body_id))
    if body == BLOB:
        blobs.link(call.tx, body_id)
    return body, body_id


def join(call: Call, parts: Sequence[PartRecord]) -> tuple[int, str]:
    """One content out of several parts', which lose theirs. Blobs are not copied."""
    tx = call.tx
    pieces: list[str | bytes] = []
    for part in parts:
        if part.body == INLINE:
            pieces.append(inline(tx, part.body_id))
        elif part.body == BLOB:
            pieces.append(part.body_id)
    if sum(part.size for part in parts) <= INLINE_BYTES:
        joined = keep_bytes(call, b"".join(piece for piece in pieces if isinstance(piece, bytes)))
    else:
        joined = BLOB, blobs.join(tx, pieces)
    for part in parts:
        discard_content(tx, part.body, part.body_id)
    return joined


def inline(tx: Transaction, body_id: str) -> bytes:
    record = BODIES.get(tx, body_id)
    assert record is not None, f"object content {body_id} is missing"
    return record.data


def content(tx: Transaction, record: ObjectRecord, start: int, length: int) -> ResponseBody:
    """`length` bytes of an object's content from `start`."""
    if not length:
        return b""
    if record.body == INLINE:
        data = inline(tx, record.body_id)
        return data if length == len(data) else data[start : start + length]
    return blobs.content(tx, record.body_id, start, length)


def read(tx: Transaction, record: ObjectRecord, start: int, length: int) -> bytes:
    """`length` bytes of an object's content from `start`, in memory."""
    if not length:
        return b""
    if record.body == INLINE:
        return inline(tx, record.body_id)[start : start + length]
    return blobs.read(tx, record.body_id, start, length)


def chunks(tx: Transaction, record: ObjectRecord, start: int, length: int) -> Iterator[bytes]:
    """The same in pieces of bounded size."""
    end = start + length
    while start < end:
        step = min(CHUNK_BYTES, end - start)
        yield read(tx, record, start, step)
        start += step


def discard(tx: Transaction, record: ObjectRecord) -> None:
    """Forget the content of an object that goes."""
    if record.parts:
        MANIFESTS.delete(tx, record.body_id)
    discard_content(tx, record.body, record.body_id)


def discard_content(tx: Transaction, body: int, body_id: str) -> None:
    if body == INLINE:
        BODIES.delete(tx, body_id)
    elif body == BLOB:
        blobs.unlink(tx, body_id)
