"""STS through boto3."""

from __future__ import annotations

import base64
import json
import time
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::111122223333:role/path/to/deployer"
POLICY = json.dumps({"Version": "2012-10-17", "Statement": []})


def client_with(client: Callable[..., Any], credentials: dict[str, Any]) -> Any:
    return client(
        "sts",
        account=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )


def refused(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_plain_keys_are_the_accounts_root(client: Callable[..., Any]) -> None:
    found = client("sts").get_caller_identity()
    assert found["Account"] == "000000000000"
    assert found["Arn"] == "arn:aws:iam::000000000000:root"
    assert found["UserId"]
    assert client("sts", account="111122223333").get_caller_identity()["Arn"] == "arn:aws:iam::111122223333:root"


def test_an_assumed_role_signs_with_its_own_keys(client: Callable[..., Any]) -> None:
    answer = client("sts").assume_role(RoleArn=ROLE, RoleSessionName="build-17")
    credentials, user = answer["Credentials"], answer["AssumedRoleUser"]
    assert user["Arn"] == "arn:aws:sts::111122223333:assumed-role/deployer/build-17"
    role_id, _, session_name = user["AssumedRoleId"].partition(":")
    assert role_id.startswith("AROA")
    assert len(role_id) == 21
    assert session_name == "build-17"
    assert credentials["AccessKeyId"].startswith("LSIA")
    assert "PackedPolicySize" not in answer
    remaining = (credentials["Expiration"] - datetime.now(UTC)).total_seconds()
    assert 3500 < remaining <= 3600
    identity = client_with(client, credentials).get_caller_identity()
    assert identity["Account"] == "111122223333"
    assert identity["Arn"] == user["Arn"]
    assert identity["UserId"] == user["AssumedRoleId"]


def test_issued_keys_act_in_their_account(client: Callable[..., Any], unique: Callable[..., str]) -> None:
    credentials = client("sts").assume_role(RoleArn=ROLE, RoleSessionName="build")["Credentials"]
    sqs = client(
        "sqs",
        account=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )
    assert "/111122223333/" in sqs.create_queue(QueueName=unique())["QueueUrl"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"RoleArn": "arn:aws:iam::111122223333:user/somebody"}, "ValidationError"),
        ({"RoleArn": "not an arn, but long enough"}, "ValidationError"),
        ({"RoleSessionName": "x"}, "ValidationError"),
        ({"RoleSessionName": "with space"}, "ValidationError"),
        ({"DurationSeconds": 899}, "ValidationError"),
        ({"DurationSeconds": 43_201}, "ValidationError"),
        ({"Policy": "{not json"}, "MalformedPolicyDocument"),
        ({"Policy": json.dumps({"Statement": [{"Sid": "x" * 2048}]})}, "PackedPolicyTooLarge"),
        ({"Tags": [{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]}, "InvalidParameterValue"),
        ({"TransitiveTagKeys": ["missing"]}, "InvalidParameterValue"),
    ],
)
def test_invalid_requests_for_a_role_are_refused(client: Callable[..., Any], options: Any, code: str) -> None:
    request = {"RoleArn": ROLE, "RoleSessionName": "build", **options}
    sts = client("sts", config=Config(parameter_validation=False))
    assert refused(sts.assume_role, **request)[0] == code


def test_a_session_policy_uses_up_space(client: Callable[..., Any]) -> None:
    answer = client("sts").assume_role(RoleArn=ROLE, RoleSessionName="build", Policy=POLICY)
    assert 1 <= answer["PackedPolicySize"] <= 100


def test_role_chaining_passes_on_transitive_tags_and_the_source_identity(client: Callable[..., Any]) -> None:
    first = client("sts").assume_role(
        RoleArn=ROLE,
        RoleSessionName="first",
        SourceIdentity="somebody",
        Tags=[{"Key": "team", "Value": "a"}, {"Key": "other", "Value": "b"}],
        TransitiveTagKeys=["team"],
    )
    assert first["SourceIdentity"] == "somebody"
    chained = client_with(client, first["Credentials"])
    second = {"RoleArn": ROLE, "RoleSessionName": "second"}
    assert chained.assume_role(**second)["SourceIdentity"] == "somebody"
    assert refused(chained.assume_role, **second, Tags=[{"Key": "Team", "Value": "c"}])[0] == "InvalidParameterValue"
    assert chained.assume_role(**second, Tags=[{"Key": "other", "Value": "c"}])
    assert refused(chained.assume_role, **second, DurationSeconds=3601)[0] == "ValidationError"


def test_a_session_token_is_the_caller_itself(client: Callable[..., Any]) -> None:
    sts = client("sts", account="111122223333")
    credentials = sts.get_session_token(DurationSeconds=900)["Credentials"]
    session = client_with(client, credentials)
    assert session.get_caller_identity()["Arn"] == sts.get_caller_identity()["Arn"]
    assert refused(session.get_session_token)[0] == "AccessDenied"
    assert refused(sts.get_session_token, DurationSeconds=129_601)[0] == "ValidationError"


def test_a_federated_user_has_its_own_arn(client: Callable[..., Any]) -> None:
    sts = client("sts", account="111122223333")
    answer = sts.get_federation_token(Name="guest", Policy=POLICY)
    assert answer["FederatedUser"] == {
        "FederatedUserId": "111122223333:guest",
        "Arn": "arn:aws:sts::111122223333:federated-user/guest",
    }
    identity = client_with(client, answer["Credentials"]).get_caller_identity()
    assert identity["Arn"] == answer["FederatedUser"]["Arn"]


def test_an_expired_session_is_refused(start_emulator: Callable[..., Any]) -> None:
    emulator = start_emulator()
    credentials = emulator.client("sts").get_session_token(DurationSeconds=900)["Credentials"]
    session = client_with(emulator.client, credentials)
    assert session.get_caller_identity()
    request = urllib.request.Request(f"{emulator.url}/_cloudlet/clock/advance", b'{"seconds": 901}', method="POST")
    with urllib.request.urlopen(request, timeout=30):
        pass
    assert refused(session.get_caller_identity)[0] == "ExpiredToken"


def test_the_account_of_a_key_is_read_from_it(client: Callable[..., Any]) -> None:
    sts = client("sts")
    assert sts.get_access_key_info(AccessKeyId="ASIAQNZGKIQY56JQ7WML")["Account"] == "029608264753"
    issued = sts.assume_role(RoleArn=ROLE, RoleSessionName="build")["Credentials"]["AccessKeyId"]
    assert sts.get_access_key_info(AccessKeyId=issued)["Account"] == "111122223333"


def test_a_message_that_nobody_encoded_is_invalid(client: Callable[..., Any]) -> None:
    code, _ = refused(client("sts").decode_authorization_message, EncodedMessage="nonsense")
    assert code == "InvalidAuthorizationMessageException"


def web_token(**claims: Any) -> str:
    parts = ({"alg": "none"}, {"iss": "https://issuer.example", "sub": "user-1", "aud": "client", **claims})
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join((*encoded, "signature"))


@pytest.fixture
def unsigned(client: Callable[..., Any]) -> Any:
    return client("sts", config=Config(signature_version=UNSIGNED))


def test_a_web_identity_assumes_a_role_unsigned(client: Callable[..., Any], unsigned: Any) -> None:
    answer = unsigned.assume_role_with_web_identity(
        RoleArn=ROLE, RoleSessionName="web", WebIdentityToken=web_token(exp=time.time() + 60)
    )
    assert answer["SubjectFromWebIdentityToken"] == "user-1"
    assert answer["Audience"] == "client"
    assert answer["Provider"] == "https://issuer.example"
    assert answer["AssumedRoleUser"]["Arn"].endswith("assumed-role/deployer/web")
    identity = client_with(client, answer["Credentials"]).get_caller_identity()
    assert identity["Arn"] == answer["AssumedRoleUser"]["Arn"]


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("not-a-jwt", "InvalidIdentityToken"),
        ("a.b.c", "InvalidIdentityToken"),
        (web_token(sub=""), "InvalidIdentityToken"),
        (web_token(exp=1), "ExpiredTokenException"),
    ],
)
def test_bad_web_tokens_are_refused(unsigned: Any, token: str, code: str) -> None:
    call = unsigned.assume_role_with_web_identity
    assert refused(call, RoleArn=ROLE, RoleSessionName="web", WebIdentityToken=token)[0] == code


def assertion(role: str, provider: str, session_name: str = "saml-user") -> str:
    name = "https://aws.amazon.com/SAML/Attributes/"
    document = f"""<?xml version="1.0"?>
<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns="urn:oasis:names:tc:SAML:2.0:assertion">
 <Issuer>https://idp.example</Issuer>
 <Assertion><Issuer>https://idp.example</Issuer>
  <Subject><NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">subject-1</NameID>
   <SubjectConfirmation><SubjectConfirmationData Recipient="https://signin.aws.amazon.com/saml"/></SubjectConfirmation>
  </Subject>
  <AttributeStatement>
   <Attribute Name="{name}Role"><AttributeValue>{provider},{role}</AttributeValue></Attribute>
   <Attribute Name="{name}RoleSessionName"><AttributeValue>{session_name}</AttributeValue></Attribute>
   <Attribute Name="{name}SessionDuration"><AttributeValue>7200</AttributeValue></Attribute>
  </AttributeStatement>
 </Assertion>
</samlp:Response>"""
    return base64.b64encode(document.encode()).decode()


PROVIDER = "arn:aws:iam::111122223333:saml-provider/idp"


def test_a_saml_assertion_assumes_its_role(unsigned: Any) -> None:
    answer = unsigned.assume_role_with_saml(
        RoleArn=ROLE, PrincipalArn=PROVIDER, SAMLAssertion=assertion(ROLE, PROVIDER)
    )
    assert answer["Subject"] == "subject-1"
    assert answer["SubjectType"] == "persistent"
    assert answer["Issuer"] == "https://idp.example"
    assert answer["Audience"] == "https://signin.aws.amazon.com/saml"
    assert answer["NameQualifier"]
    assert answer["AssumedRoleUser"]["Arn"].endswith("assumed-role/deployer/saml-user")
    remaining = (answer["Credentials"]["Expiration"] - datetime.now(UTC)).total_seconds()
    assert 7100 < remaining <= 7200


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("bm90IHhtbA==", "InvalidIdentityToken"),
        (base64.b64encode(b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>').decode(), "InvalidIdentityToken"),
        (assertion(ROLE, PROVIDER, session_name=""), "InvalidIdentityToken"),
        (assertion(ROLE + "-other", PROVIDER), "AccessDenied"),
    ],
)
def test_bad_saml_assertions_are_refused(unsigned: Any, document: str, code: str) -> None:
    call = unsigned.assume_role_with_saml
    assert refused(call, RoleArn=ROLE, PrincipalArn=PROVIDER, SAMLAssertion=document)[0] == code
