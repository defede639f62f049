"""Receipt handles as pure functions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudlet.emulator.services.sqs.api import ReceiptHandleIsInvalid
from cloudlet.emulator.services.sqs.receipts import Receipt, read_receipt, receipt_handle
from cloudlet.emulator.services.sqs.records import GENERATION_BITS, Message, Queue

moments = st.integers(0, 2**53)
storages = st.integers(0, 2**40 - 1).map(lambda identity: identity << GENERATION_BITS)
groups = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=128)


def queue(storage_id: int) -> Queue:
    return Queue(
        account_id="000000000000",
        region="us-east-1",
        name="queue",
        storage_id=storage_id,
        arn="arn:aws:sqs:us-east-1:000000000000:queue",
        fifo=False,
        attributes={},
        tags={},
        created_seconds=0,
        modified_seconds=0,
        visibility_timeout_seconds=30,
        delay_seconds=0,
        wait_seconds=0,
        maximum_bytes=1024,
        retention_seconds=60,
        dead_letter_arn=None,
        max_receive_count=0,
        content_based_deduplication=False,
        deduplicates_by_group=False,
        purged_at=0,
    )


@given(storages, moments, moments, st.integers(1, 2**32 - 1), groups)
def test_a_handle_says_what_was_received(
    storage_id: int, visible_at: int, sequence: int, receive_count: int, group_id: str
) -> None:
    message = Message(
        storage_id,
        visible_at,
        sequence,
        "id",
        "body",
        "md5",
        "sender",
        0,
        receive_count=receive_count,
        group_id=group_id,
    )
    handle = receipt_handle(message)
    assert handle.startswith("AQEB")
    expected = Receipt(storage_id, visible_at, sequence, receive_count, group_id)
    assert read_receipt(queue(storage_id), handle) == expected
    assert read_receipt(queue(storage_id + 3), handle) == expected  # the same queue after three purges
    with pytest.raises(ReceiptHandleIsInvalid):
        read_receipt(queue(storage_id + (1 << GENERATION_BITS)), handle)


@given(st.text() | st.text("ABCDEFabcdef0123456789+/=", max_size=80).map("AQEB{}".format))
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(ReceiptHandleIsInvalid):
        read_receipt(queue(0x123456789A << GENERATION_BITS), text)
