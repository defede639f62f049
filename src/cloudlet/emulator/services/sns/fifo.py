"""FIFO topics: deduplication for five minutes, and sequence numbers."""

from __future__ import annotations

from hashlib import sha256

from cloudlet.emulator.kernel.call import Call
from cloudlet.emulator.services.sns.records import DEDUPLICATIONS, SEQUENCES, Deduplication, Sequence, Topic

DEDUPLICATION_SECONDS = 300.0
SWEPT_PER_PUBLISH = 2  # expired deduplications that a publish clears away: more than it adds, so they never pile up
SEQUENCE_BASE = 10_000_000_000_000_000_000  # AWS's sequence numbers have 20 digits


def content_id(text: str) -> str:
    """The deduplication id of a topic with ContentBasedDeduplication."""
    return sha256(text.encode()).hexdigest()


def find_duplicate(call: Call, topic: Topic, group_id: str, deduplication_id: str) -> Deduplication | None:
    scope = group_id if topic.deduplicates_by_group else ""
    found = DEDUPLICATIONS.get(call.tx, topic.arn, scope, deduplication_id)
    return found if found is not None and found.expires_at > call.now else None


def remember(call: Call, topic: Topic, group_id: str, deduplication_id: str, message_id: str) -> int:
    """Refuse duplicates from now on; the new message's sequence."""
    expired = []
    for entry in DEDUPLICATIONS.lookup(call.tx, "by_expiry", topic.arn, limit=SWEPT_PER_PUBLISH):
        if entry.expires_at > call.now:
            break
        expired.append(entry)
    for entry in expired:
        DEDUPLICATIONS.delete(call.tx, topic.arn, entry.scope, entry.deduplication_id)
    before = SEQUENCES.get(call.tx, topic.arn)
    sequence = 1 if before is None else before.last + 1
    SEQUENCES.put(call.tx, Sequence(topic.arn, sequence))
    scope = group_id if topic.deduplicates_by_group else ""
    expires_at = call.now + DEDUPLICATION_SECONDS
    DEDUPLICATIONS.put(call.tx, Deduplication(topic.arn, scope, deduplication_id, message_id, sequence, expires_at))
    return sequence


def sequence_number(sequence: int) -> str:
    return str(SEQUENCE_BASE + sequence * 1000)
