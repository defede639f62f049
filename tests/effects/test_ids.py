import random
import re
import uuid

from hypothesis import given
from hypothesis import strategies as st

from cloudlet.emulator.effects.ids import Ids


def one_of_each(ids: Ids) -> list[object]:
    return [
        ids.uuid(),
        ids.hex(17),
        ids.bytes(5),
        ids.alphanumeric(20),
        ids.uppercase(16),
        ids.digits(12),
        ids.random(),
    ]


def test_a_seed_repeats_the_names() -> None:
    assert one_of_each(Ids(7)) == one_of_each(Ids(7))
    assert one_of_each(Ids(7)) != one_of_each(Ids(8))


def test_without_a_seed_names_are_new() -> None:
    assert one_of_each(Ids()) != one_of_each(Ids())


@given(st.integers(0, 2**64))
def test_uuids_are_well_formed(seed: int) -> None:
    text = Ids(seed).uuid()
    parsed = uuid.UUID(text)
    assert str(parsed) == text
    assert parsed.version == 4
    assert parsed.variant == uuid.RFC_4122


@given(st.integers(0, 70))
def test_names_have_the_length_and_letters_that_were_asked_for(length: int) -> None:
    ids = Ids(length)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    for name, alphabet in [
        (ids.hex(length), "0123456789abcdef"),
        (ids.digits(length), "0123456789"),
        (ids.uppercase(length), letters + "0123456789"),
        (ids.alphanumeric(length), letters + letters.lower() + "0123456789"),
    ]:
        assert len(name) == length
        assert set(name) <= set(alphabet)
    assert len(ids.bytes(length)) == length


def test_request_ids_have_the_form_of_their_service() -> None:
    ids = Ids(3)
    assert re.fullmatch("[0-9A-F]{16}", ids.request_id("s3"))
    assert uuid.UUID(ids.request_id("sqs")).version == 4


def test_all_letters_come_up() -> None:
    ids = Ids(random.Random(1).randrange(1000))
    assert len(set(ids.alphanumeric(5000))) == 62
    assert len(set(ids.uppercase(3000))) == 36
    assert all(0 <= ids.random() < 1 for _ in range(100))
