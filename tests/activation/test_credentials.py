from __future__ import annotations

from pathlib import Path

import pytest

from cloudlet.emulator.activation.credentials import Credentials, find_credentials
from cloudlet.license.reasons import Failure
from tests.activation.people import settings_for
from tests.license.samples import TOKEN

OTHER = "ls-AbCd1235-5678-EfGh-9012-IjKlMnOp0e6a"
LEGACY = "Ab12Cd34Ef"


def found(tmp_path: Path, **variables: str) -> Credentials | Failure | None:
    return find_credentials(settings_for(tmp_path, **variables))


def code(tmp_path: Path, **variables: str) -> str:
    result = found(tmp_path, **variables)
    assert isinstance(result, Failure)
    return result.code


def test_nothing_is_nothing(tmp_path: Path) -> None:
    assert found(tmp_path) is None
    assert found(tmp_path, LOCALSTACK_AUTH_TOKEN="", LOCALSTACK_API_KEY=" ") is None


@pytest.mark.parametrize("value", [TOKEN, f' "{TOKEN}"\r\n', f"'{TOKEN}'"])
def test_the_token_variable_is_read_without_what_surrounds_it(tmp_path: Path, value: str) -> None:
    assert found(tmp_path, LOCALSTACK_AUTH_TOKEN=value) == Credentials(TOKEN, "LOCALSTACK_AUTH_TOKEN")


def test_the_token_may_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n")
    assert found(tmp_path, LOCALSTACK_AUTH_TOKEN_FILE=str(path)) == Credentials(TOKEN, "LOCALSTACK_AUTH_TOKEN_FILE")
    assert code(tmp_path, LOCALSTACK_AUTH_TOKEN_FILE=str(tmp_path / "gone")) == "credentials.file"
    path.write_text(TOKEN[:-1])
    assert code(tmp_path, LOCALSTACK_AUTH_TOKEN_FILE=str(path)) == "credentials.format"


def test_the_variable_comes_before_the_file(tmp_path: Path) -> None:
    assert isinstance(found(tmp_path, LOCALSTACK_AUTH_TOKEN=TOKEN, LOCALSTACK_AUTH_TOKEN_FILE="/gone"), Credentials)


def test_an_api_key_may_be_old_or_a_token(tmp_path: Path) -> None:
    old = found(tmp_path, LOCALSTACK_API_KEY=LEGACY)
    assert old == Credentials(LEGACY, "LOCALSTACK_API_KEY")
    assert isinstance(old, Credentials)
    assert old.type == "licensing-api-key"
    new = found(tmp_path, LOCALSTACK_API_KEY=TOKEN)
    assert isinstance(new, Credentials)
    assert new.type == "licensing-auth-token"


def test_two_different_values_are_a_conflict_and_equal_ones_are_not(tmp_path: Path) -> None:
    assert code(tmp_path, LOCALSTACK_AUTH_TOKEN=TOKEN, LOCALSTACK_API_KEY=LEGACY) == "credentials.conflict"
    assert isinstance(found(tmp_path, LOCALSTACK_AUTH_TOKEN=TOKEN, LOCALSTACK_API_KEY=f'"{TOKEN}"'), Credentials)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("${LOCALSTACK_AUTH_TOKEN}", "credentials.placeholder"),
        (TOKEN[:-2], "credentials.format"),
        (TOKEN[:-1] + ("0" if TOKEN[-1] != "0" else "1"), "credentials.checksum"),
    ],
)
def test_what_cannot_be_right_is_found_without_a_network(tmp_path: Path, value: str, expected: str) -> None:
    assert code(tmp_path, LOCALSTACK_AUTH_TOKEN=value) == expected
    assert code(tmp_path, LOCALSTACK_API_KEY=value) == expected
