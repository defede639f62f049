"""The parameter store: names, tiers, types, versions, what is encrypted; settings of the service."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Client = Callable[..., Any]
Unique = Callable[..., str]


def refused(act: Callable[..., Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        act(**request)
    error = caught.value.response["Error"]
    return error["Code"], error.get("Message", "")


@pytest.mark.parametrize("name", ["a b", "/a//b", "/a/", "a:b"])
def test_names_have_letters_digits_and_three_signs(client: Client, name: str) -> None:
    code, message = refused(client("ssm").put_parameter, Name=name, Value="1", Type="String")
    assert code == "ValidationException"
    assert "sub-paths divided by slash symbol" in message


def test_a_path_begins_with_a_slash_and_has_fifteen_levels(client: Client) -> None:
    ssm = client("ssm")
    assert refused(ssm.put_parameter, Name="a/b", Value="1", Type="String")[1] == (
        "Parameter name must be a fully qualified name."
    )
    code, _ = refused(ssm.put_parameter, Name="/a" * 16, Value="1", Type="String")
    assert code == "HierarchyLevelLimitExceededException"
    assert refused(ssm.get_parameter, Name="/a//b")[0] == "ValidationException"
    assert refused(ssm.get_parameters_by_path, Path="a")[0] == "ValidationException"


def test_tiers_have_sizes(client: Client, unique: Unique) -> None:
    put, name = client("ssm").put_parameter, unique("big")
    request = {"Name": name, "Value": "x" * 4097, "Type": "String"}
    assert refused(put, **request)[1].startswith("Standard tier parameters support a maximum parameter value of 4096")
    assert put(**request, Tier="Intelligent-Tiering")["Tier"] == "Advanced"


def test_a_pattern_is_kept(client: Client, unique: Unique) -> None:
    act, request = client("ssm").put_parameter, {"Name": unique("p"), "Value": "abc", "Type": "String"}
    assert refused(act, AllowedPattern="[0-9]+", **request) == (
        "ParameterPatternMismatchException",
        "Parameter value, cannot be validated against allowedPattern: [0-9]+",
    )
    assert refused(act, AllowedPattern="[", **request)[0] == "InvalidAllowedPatternException"


def test_a_parameter_keeps_its_type(client: Client, unique: Unique) -> None:
    ssm, name = client("ssm"), unique("p")
    ssm.put_parameter(Name=name, Value="1", Type="String")
    change = {"Name": name, "Value": "2", "Overwrite": True}
    assert refused(ssm.put_parameter, Type="SecureString", **change)[0] == "HierarchyTypeMismatchException"
    assert ssm.put_parameter(**change)["Version"] == 2


def test_versions_and_labels_select(client: Client, unique: Unique) -> None:
    ssm, name = client("ssm"), unique("p")
    for value in ("1", "2"):
        ssm.put_parameter(Name=name, Value=value, Type="String", Overwrite=True)
    ssm.label_parameter_version(Name=name, ParameterVersion=1, Labels=["old"])
    for selector in (":1", ":old"):
        found = ssm.get_parameter(Name=name + selector)["Parameter"]
        assert (found["Name"], found["Value"], found["Selector"]) == (name, "1", selector)
    history = ssm.get_parameter_history(Name=name)["Parameters"]
    assert [entry["Value"] for entry in history] == ["1", "2"]
    assert history[0]["LastModifiedUser"].startswith("arn:aws:iam::")
    assert refused(ssm.get_parameter, Name=name + ":9")[0] == "ParameterVersionNotFound"


def test_what_is_not_there_is_nothing_to_delete_or_label(client: Client, unique: Unique) -> None:
    ssm, name = client("ssm"), unique("none")
    for act, request in (
        (ssm.get_parameter, {}),
        (ssm.delete_parameter, {}),
        (ssm.get_parameter_history, {}),
        (ssm.label_parameter_version, {"Labels": ["a"]}),
    ):
        assert refused(act, Name=name, **request)[0] == "ParameterNotFound"
    ssm.describe_parameters()


def test_what_is_encrypted_is_opened_by_its_key(client: Client, unique: Unique) -> None:
    ssm, name = client("ssm"), "/" + unique("secret")
    ssm.put_parameter(Name=name, Value="hush", Type="SecureString")
    sealed = ssm.get_parameter(Name=name)["Parameter"]
    assert ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"] == "hush"
    opened = client("kms").decrypt(
        CiphertextBlob=b64decode(sealed["Value"]), EncryptionContext={"PARAMETER_ARN": sealed["ARN"]}
    )
    assert opened["Plaintext"] == b"hush"
    request = {"Name": unique("other"), "Value": "x", "Type": "SecureString", "KeyId": "alias/" + unique("none")}
    assert refused(ssm.put_parameter, **request)[0] == "InvalidKeyId"


def test_settings_are_customized_and_reset(client: Client) -> None:
    ssm, name = client("ssm", account="111122225555"), "/ssm/parameter-store/default-parameter-tier"
    ssm.update_service_setting(SettingId=name, SettingValue="Advanced")
    found = ssm.get_service_setting(SettingId=name)["ServiceSetting"]
    assert (found["SettingValue"], found["Status"]) == ("Advanced", "Customized")
    assert ssm.reset_service_setting(SettingId=name)["ServiceSetting"]["SettingValue"] == "Standard"
    assert refused(ssm.get_service_setting, SettingId="/ssm/none")[0] == "ServiceSettingNotFound"
