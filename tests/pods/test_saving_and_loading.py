"""Cloud Pods in the volume: saved, listed, loaded, merged, compared, deleted."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from tests.pods.conftest import Licensed, Pods

LARGE = b"0123456789" * 30_000


def fill(pods: Pods, name: str, **options: Any) -> None:
    """A user, a queue with a message, a bucket with objects, a table with an item, all called `name`."""
    pods.client("iam", **options).create_user(UserName=name)
    sqs = pods.client("sqs", **options)
    sqs.send_message(QueueUrl=sqs.create_queue(QueueName=name)["QueueUrl"], MessageBody=name)
    s3 = pods.client("s3", **options)
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="small", Body=name.encode())
    s3.put_object(Bucket=name, Key="large", Body=LARGE)
    upload = s3.create_multipart_upload(Bucket=name, Key="joined")["UploadId"]
    parts = []
    for number, body in ((1, b"a" * (5 << 20)), (2, b"end")):
        tag = s3.upload_part(Bucket=name, Key="joined", UploadId=upload, PartNumber=number, Body=body)["ETag"]
        parts.append({"PartNumber": number, "ETag": tag})
    s3.complete_multipart_upload(Bucket=name, Key="joined", UploadId=upload, MultipartUpload={"Parts": parts})
    dynamodb = pods.client("dynamodb", **options)
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.put_item(TableName=name, Item={"id": {"S": name}})


def check(pods: Pods, name: str, **options: Any) -> None:
    """What `fill` made is there, whole."""
    assert pods.client("iam", **options).get_user(UserName=name)["User"]["UserName"] == name
    sqs = pods.client("sqs", **options)
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    assert sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"] == {
        "ApproximateNumberOfMessages": "1"
    }
    s3 = pods.client("s3", **options)
    assert s3.get_object(Bucket=name, Key="small")["Body"].read() == name.encode()
    assert s3.get_object(Bucket=name, Key="large")["Body"].read() == LARGE
    assert s3.get_object(Bucket=name, Key="joined")["Body"].read() == b"a" * (5 << 20) + b"end"
    found = pods.client("dynamodb", **options).get_item(TableName=name, Key={"id": {"S": name}})
    assert found["Item"] == {"id": {"S": name}}


def names(pods: Pods, **options: Any) -> dict[str, list[str]]:
    urls = pods.client("sqs", **options).list_queues().get("QueueUrls", [])
    return {
        "users": sorted(user["UserName"] for user in pods.client("iam", **options).list_users()["Users"]),
        "queues": sorted(url.rpartition("/")[2] for url in urls),
        "buckets": sorted(bucket["Name"] for bucket in pods.client("s3", **options).list_buckets()["Buckets"]),
        "tables": sorted(pods.client("dynamodb", **options).list_tables()["TableNames"]),
    }


def all_called(*wanted: str) -> dict[str, list[str]]:
    return dict.fromkeys(("users", "queues", "buckets", "tables"), sorted(wanted))


def test_a_pod_brings_everything_back(licensed: Licensed) -> None:
    pods = licensed()
    fill(pods, "kept")
    lines = pods.events("POST", "/mine", json={"attributes": {"description": "before"}})
    assert {line["service"]: line["status"] for line in lines[:-1]} == dict.fromkeys(
        ("dynamodb", "iam", "s3", "sqs"), "ok"
    )
    info = lines[-1]["info"]
    assert (info["version"], info["services"]) == (1, ["dynamodb", "iam", "s3", "sqs"])
    pods.running.client("s3").delete_object(Bucket="kept", Key="large")
    pods.client("iam").delete_user(UserName="kept")
    assert pods.done("PUT", "/mine") == info
    check(pods, "kept")
    assert pods.done("PUT", "/mine", params={"merge": "overwrite"}) == info
    check(pods, "kept")
    for key in ("small", "large", "joined"):
        pods.client("s3").delete_object(Bucket="kept", Key=key)
    pods.client("s3").delete_bucket(Bucket="kept")
    assert pods.done("PUT", "/mine", params={"merge": "service-merge"}) == info
    check(pods, "kept")


@pytest.mark.parametrize(
    ("merge", "here", "there"),
    [
        ("overwrite", ["pod"], []),
        ("account-region-merge", ["pod"], ["other"]),
        ("service-merge", ["later", "pod"], ["other"]),
    ],
)
def test_strategies_say_what_becomes_of_what_is_there(
    licensed: Licensed, merge: str, here: list[str], there: list[str]
) -> None:
    pods = licensed(MERGE_STRATEGY=merge)
    fill(pods, "pod")
    pods.done("POST", "/mine")
    assert pods.running.process.poll() is None
    pods.client("iam").delete_user(UserName="pod")
    fill(pods, "later")
    fill(pods, "other", account="111122223333")
    pods.client("kms").create_key()
    pods.done("PUT", "/mine")
    assert names(pods) == all_called(*here)
    assert names(pods, account="111122223333") == all_called(*there)
    for name in here:
        check(pods, name)
    for name in there:
        check(pods, name, account="111122223333")
    assert len(pods.client("kms").list_keys()["Keys"]) == (0 if merge == "overwrite" else 1)


def test_a_pod_may_hold_some_services_only(licensed: Licensed) -> None:
    pods = licensed()
    fill(pods, "kept")
    info = pods.done("POST", "/some", json={"attributes": {"services": ["sqs", "iam"]}})
    assert info["services"] == ["iam", "sqs"]
    pods.client("s3").delete_object(Bucket="kept", Key="small")
    pods.client("iam").delete_user(UserName="kept")
    pods.done("PUT", "/some")
    assert names(pods)["users"] == ["kept"]
    assert "small" not in [entry["Key"] for entry in pods.client("s3").list_objects_v2(Bucket="kept")["Contents"]]


def test_versions_are_kept_and_chosen(licensed: Licensed) -> None:
    pods = licensed()
    for number in (1, 2):
        pods.client("iam").create_user(UserName=f"user{number}")
        assert pods.done("POST", "/mine", json={})["version"] == number
    (entry,) = pods.request("GET", "").json()["cloudpods"]
    assert (entry["pod_name"], entry["max_version"]) == ("mine", 2)
    versions = pods.request("GET", "/mine/versions").json()["versions"]
    assert [(version["version"], version["services"]) for version in versions] == [(1, ["iam"]), (2, ["iam"])]
    pods.done("PUT", "/mine", params={"version": "1", "merge": "overwrite"})
    assert names(pods)["users"] == ["user1"]
    last = pods.events("PUT", "/mine", params={"version": "7"})[-1]
    assert last["status"] == "error"
    assert "maximum version available is 2" in last["message"]
    assert pods.done("POST", "/mine", params={"version": "2"})["version"] == 2
    assert pods.request("DELETE", "/mine").status_code == 200
    assert pods.request("GET", "").json() == {"cloudpods": []}


def test_an_unknown_pod_says_so(licensed: Licensed) -> None:
    pods = licensed()
    last = pods.events("PUT", "/nothing")[-1]
    assert last["status"] == "error"
    assert "failed to get version information from platform" in last["message"]
    assert pods.request("DELETE", "/nothing").status_code == 400
    assert pods.request("GET", "/nothing/versions").json()["code"] == "pod.unknown"
    assert pods.request("GET", "/nothing/diff").json()["code"] == "pod.unknown"


@pytest.mark.parametrize(
    ("method", "path", "options", "code"),
    [
        ("POST", "/-x", {}, "pod.name"),
        ("POST", "/state", {}, "pod.name"),
        ("POST", "/mine", {"params": {"version": "first"}}, "pod.version"),
        ("POST", "/mine", {"json": {"attributes": {"services": "s3"}}}, "pod.services"),
        ("POST", "/mine", {"json": {"attributes": ["s3"]}}, "pod.services"),
        ("PUT", "/mine", {"params": {"merge": "shuffle"}}, "pod.merge"),
        ("PUT", "/mine", {"json": {"remote": "nowhere"}}, "pod.remote"),
        ("POST", "/remotes/x", {"json": {"protocols": "s3"}}, "pod.remote"),
    ],
)
def test_what_makes_no_sense_is_refused(
    licensed: Licensed, method: str, path: str, options: dict[str, Any], code: str
) -> None:
    answer = licensed().request(method, path, **options)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_a_difference_is_told_and_nothing_is_loaded(licensed: Licensed) -> None:
    pods = licensed()
    fill(pods, "kept")
    pods.done("POST", "/mine")
    assert pods.request("GET", "/mine/diff").json() == {}
    pods.client("iam").delete_user(UserName="kept")
    pods.client("s3").put_object(Bucket="kept", Key="small", Body=b"changed")
    pods.client("dynamodb").delete_item(TableName="kept", Key={"id": {"S": "kept"}})
    found = pods.request("GET", "/mine/diff", params={"version": "1"}).json()
    assert {"operation_type": "ADDITION", "type": "users", "id": "kept"} in found["iam"]
    assert found["s3"] == [{"operation_type": "MODIFICATION", "type": "s3.current", "id": "kept/small"}]
    assert [entry["operation_type"] for entry in found["dynamodb"]] == ["ADDITION"]
    assert names(pods)["users"] == []


def test_remotes_are_folders_by_name(licensed: Licensed, tmp_path: Path) -> None:
    pods = licensed("one")
    shared = tmp_path / "shared"
    body = {"name": "team", "protocols": ["file"], "remote_url": shared.as_uri()}
    assert pods.request("POST", "/remotes/team", json=body).status_code == 200
    assert (
        pods.request("POST", "/remotes/far", json={"protocols": ["s3"], "remote_url": "s3://bucket"}).status_code == 200
    )
    assert [remote["name"] for remote in pods.request("GET", "/remotes").json()["remotes"]] == ["team", "far"]
    assert pods.request("GET", "/remotes/team").json() == {
        "name": "team",
        "protocols": ["file"],
        "url": shared.as_uri(),
        "remote_url": shared.as_uri(),
    }
    pods.client("iam").create_user(UserName="shared")
    place = {"remote": {"remote_name": "team", "remote_params": {}}}
    pods.done("POST", "/ours", json=place)
    assert pods.request("GET", "").json() == {"cloudpods": []}
    assert pods.request("POST", "/ours", json={"remote": "far"}).json()["code"] == "pod.remote"

    other = licensed("two")
    other.request("POST", "/remotes/team", json=body)
    listed = other.request("GET", "", json={"remote": "team"}).json()["cloudpods"]
    assert [entry["pod_name"] for entry in listed] == ["ours"]
    other.done("PUT", "/ours", json=place)
    assert names(other)["users"] == ["shared"]
    assert other.request("DELETE", "/remotes/team").status_code == 200
    assert other.request("GET", "/remotes/team").status_code == 404
    assert other.request("DELETE", "/remotes/team").status_code == 404


@pytest.mark.parametrize("url", ["file://[x", "file:///tmp/%00x", "file://elsewhere/pods", "file:", ""])
def test_a_remote_that_is_no_folder_is_refused(licensed: Licensed, url: str) -> None:
    pods = licensed()
    assert pods.request("POST", "/remotes/odd", json={"remote_url": url}).status_code == 200
    answer = pods.request("POST", "/mine", json={"remote": "odd"})
    assert (answer.status_code, answer.json()["code"]) == (400, "pod.remote")


def test_a_remote_that_cannot_be_written_says_so(licensed: Licensed, tmp_path: Path) -> None:
    pods, file = licensed(), tmp_path / "file"
    file.touch()
    pods.request("POST", "/remotes/odd", json={"remote_url": f"{file.as_uri()}/below"})
    last = pods.events("POST", "/mine", json={"remote": "odd"})[-1]
    assert (last["status"], last["message"]) == ("error", f"nothing can be written to {file}/below: Not a directory")


def test_pods_outlive_the_emulator(licensed: Licensed) -> None:
    pods = licensed()
    fill(pods, "kept")
    pods.done("POST", "/mine")
    pods.running.kill()
    pods.running.restart()
    assert names(pods) == all_called()
    pods.done("PUT", "/mine")
    check(pods, "kept")


def test_delayed_messages_come_with_a_pod(licensed: Licensed) -> None:
    pods = licensed()
    sqs = pods.client("sqs")
    url = sqs.create_queue(QueueName="kept")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="later", DelaySeconds=900)
    pods.done("POST", "/mine")
    sqs.delete_queue(QueueUrl=url)
    pods.done("PUT", "/mine")
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    pods.request("POST", "/../../_cloudlet/clock/advance", json={"seconds": 901})
    assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "later"


def test_without_the_entitlement_there_is_nothing(licensed: Licensed, emulator: Any) -> None:
    without = licensed(ent={"aws/*": None})
    for pods in (without, Pods(emulator)):
        for method, path in (("GET", ""), ("POST", "/x"), ("GET", "/state"), ("GET", "/remotes"), ("GET", "/x/diff")):
            answer = pods.request(method, path)
            assert (answer.status_code, answer.content) == (404, b""), (method, path)


def test_the_megabytes_of_the_plan_are_the_limit(licensed: Licensed) -> None:
    pods = licensed(ent={"aws/*": None, "platform/pods": {"limit": 1}})
    pods.client("iam").create_user(UserName="small")
    pods.done("POST", "/small")
    s3 = pods.client("s3")
    s3.create_bucket(Bucket="big")
    s3.put_object(Bucket="big", Key="noise", Body=random.Random(7).randbytes(2_000_000))
    last = pods.events("POST", "/big")[-1]
    assert last["status"] == "error"
    assert "1 MB of Cloud Pods are used up" in last["message"]
    assert [entry["pod_name"] for entry in pods.request("GET", "").json()["cloudpods"]] == ["small"]


def test_pods_are_loaded_at_the_start(licensed: Licensed) -> None:
    pods = licensed()
    pods.client("iam").create_user(UserName="kept")
    pods.done("POST", "/base")
    pods.running.kill()
    again = licensed(AUTO_LOAD_POD="base, nothing")
    assert again.running.wait_until(lambda: "Ready." in again.running.printed())
    assert names(again)["users"] == ["kept"]
    assert "AUTO_LOAD_POD: nothing is not loaded: " in again.running.printed()


def test_without_the_entitlement_none_is_loaded_at_the_start(licensed: Licensed) -> None:
    pods = licensed(ent={"aws/*": None}, AUTO_LOAD_POD="base")
    assert pods.running.wait_until(lambda: "Ready." in pods.running.printed())
    assert "the license does not open Cloud Pods" in pods.running.printed()
