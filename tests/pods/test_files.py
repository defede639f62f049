"""Pods as files: exported, imported here and elsewhere, and refused where they are no pods."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cloudlet.emulator.pods.archive import MANIFEST, SIGNATURE
from tests.pods.conftest import Licensed, Pods
from tests.pods.test_saving_and_loading import check, fill

ZIP = {"Content-Type": "application/octet-stream"}


def exported(pods: Pods, **params: str) -> bytes:
    answer = pods.request("GET", "/state", params=params)
    assert answer.status_code == 200
    assert int(answer.headers["x-localstack-pod-size"]) == len(answer.content) == int(answer.headers["content-length"])
    return answer.content


def test_a_file_is_named_and_says_what_is_in_it(licensed: Licensed) -> None:
    pods = licensed()
    fill(pods, "kept")
    answer = pods.request("GET", "/state", params={"pod_name": "my state", "services": "iam, sqs"})
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == 'attachment; filename="my-state.zip"'
    assert answer.headers["x-localstack-pod-services"] == "iam,sqs"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert json.loads(archive.read(MANIFEST))["services"] == ["iam", "sqs"]


@pytest.mark.parametrize("form", [False, True])
def test_a_file_is_loaded_on_another_machine(licensed: Licensed, form: bool) -> None:
    one, two = licensed("one"), licensed("two")
    fill(one, "kept")
    one.client("ssm").put_parameter(Name="/kept", Value="kept", Type="String")
    one.client("ec2").create_vpc(CidrBlock="10.9.0.0/16")
    one.client("kms").create_key(Description="kept")
    one.client("secretsmanager").create_secret(Name="kept", SecretString="kept")
    content = exported(one)
    if form:
        services = two.imported(files={"pod": ("x.zip", content, "application/zip")})
    else:
        services = two.imported(content=content, headers=ZIP)
    assert set(services) >= {"dynamodb", "ec2", "iam", "kms", "s3", "secretsmanager", "sqs", "ssm"}
    check(two, "kept")
    assert two.client("ssm").get_parameter(Name="/kept")["Parameter"]["Value"] == "kept"
    assert "10.9.0.0/16" in [vpc["CidrBlock"] for vpc in two.client("ec2").describe_vpcs()["Vpcs"]]
    (key,) = two.client("kms").list_keys()["Keys"]
    assert two.client("kms").describe_key(KeyId=key["KeyId"])["KeyMetadata"]["Description"] == "kept"
    assert two.client("secretsmanager").get_secret_value(SecretId="kept")["SecretString"] == "kept"
    two.client("ssm").put_parameter(Name="/new", Value="new", Type="String")
    two.client("ssm").add_tags_to_resource(
        ResourceType="Parameter", ResourceId="/new", Tags=[{"Key": "a", "Value": "b"}]
    )
    assert list((Path(two.running.output).parent / "two" / "pods").glob(".work-*")) == []


@pytest.mark.parametrize(
    ("content", "text"), [(b"no zip", "not a valid zip archive"), (b"", "not a valid zip archive")]
)
def test_what_is_no_pod_is_refused(licensed: Licensed, content: bytes, text: str) -> None:
    answer = licensed().request("POST", "", content=content, headers=ZIP)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "text/plain; charset=utf-8")
    assert text in answer.text


def test_a_form_without_the_part_is_refused(licensed: Licensed) -> None:
    answer = licensed().request("POST", "", files={"other": b"x"})
    assert (answer.status_code, answer.json()["code"]) == (400, "pod.form")


class Program:
    """What a pickle can do to whoever reads it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def rebuilt(content: bytes, replaced: dict[str, bytes], *, version: str = "") -> bytes:
    """The same pod with other files in it, honest about them."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(made, "w") as copy:
        manifest = json.loads(archive.read(MANIFEST))
        manifest["version"] = version or manifest["version"]
        for name in (*manifest["files"], *replaced):
            if name not in copy.namelist():
                data = replaced.get(name) or archive.read(name)
                copy.writestr(name, data)
                manifest["files"][name] = hashlib.sha256(data).hexdigest()
        copy.writestr(MANIFEST, json.dumps(manifest))
        copy.writestr(SIGNATURE, archive.read(SIGNATURE))
    return made.getvalue()


def test_a_program_in_a_pod_is_not_run(licensed: Licensed, tmp_path: Path) -> None:
    pods = licensed()
    pods.client("iam").create_user(UserName="stays")
    mark = tmp_path / "it ran"
    evil = rebuilt(exported(pods), {"fallback/iam.pickle": pickle.dumps({("1", "aws"): Program(mark)})})
    answer = pods.request("POST", "", content=evil, headers=ZIP)
    assert answer.status_code == 422
    assert "neither data nor a class of moto" in answer.text
    assert not mark.exists()
    assert [user["UserName"] for user in pods.client("iam").list_users()["Users"]] == ["stays"]


@pytest.mark.parametrize("name", ["../outside", "native/../../outside.records", "/etc/outside", "blobs/short"])
def test_a_pod_writes_nowhere_else(licensed: Licensed, name: str) -> None:
    pods = licensed()
    answer = pods.request("POST", "", content=rebuilt(exported(pods), {name: b"x"}), headers=ZIP)
    assert (answer.status_code, answer.text) == (422, f"invalid pod file: it has a file {name!r}")


@pytest.mark.parametrize("table", ["cloudlet.jobs", "cloudlet.blobs", "sqs.queues", "sqs.nothing"])
@pytest.mark.parametrize("value", [b"", b"\x01no record", b"\x63"])
def test_a_record_that_is_none_is_refused(licensed: Licensed, table: str, value: bytes) -> None:
    pods = licensed()
    entry = msgspec.msgpack.encode((table, value))
    content = rebuilt(exported(pods), {"native/sqs.records": len(entry).to_bytes(4, "big") + entry})
    answer = pods.request("POST", "", content=content, headers=ZIP)
    assert (answer.status_code, answer.text.partition(":")[0]) == (422, "invalid pod file")


def test_a_pod_of_a_later_version_is_refused_unless_asked(licensed: Licensed) -> None:
    pods = licensed()
    pods.client("iam").create_user(UserName="kept")
    later = rebuilt(exported(pods), {}, version="99.0.0")
    answer = pods.request("POST", "", content=later, headers=ZIP)
    assert answer.status_code == 422
    assert "made by Cloudlet 99.0.0" in answer.text


def test_damage_is_noticed(licensed: Licensed) -> None:
    pods = licensed()
    fill(pods, "kept")
    pods.done("POST", "/mine")
    (path,) = (Path(pods.running.output).parent / "volume" / "pods" / "mine").glob("*.zip")
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0xFF
    path.write_bytes(content)
    answer = pods.request("PUT", "/mine")
    assert answer.status_code == 422
    check(pods, "kept")


def test_the_metamodel_is_a_tree(licensed: Licensed) -> None:
    pods = licensed()
    pods.client("s3").create_bucket(Bucket="mine")
    tree = pods.request("GET", "/state/metamodel").json()
    assert tree["000000000000"]["us-east-1"]["s3"] == {"AWS::S3::Bucket": ["mine"]}
