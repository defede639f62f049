"""The compiled models: complete, lazy, and without botocore."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cloudlet.emulator.protocol.models import Models
from tests.protocol import wire

WITHOUT_BOTOCORE = """
import sys
from cloudlet.emulator.protocol.codec import codec
from cloudlet.emulator.protocol.models import Models
models = Models()
for service, operation, protocol in (("s3", "PutObject", "rest-xml"), ("sqs", "SendMessage", "json")):
    codec(models.service(service), operation, protocol)
print(sorted(name for name in sys.modules if name.split(".")[0] in ("botocore", "boto3", "moto")))
"""


def test_serving_imports_no_botocore() -> None:
    finished = subprocess.run([sys.executable, "-c", WITHOUT_BOTOCORE], capture_output=True, text=True, check=True)
    assert finished.stdout == "[]\n"


def test_every_service_and_operation_of_botocore_is_there() -> None:
    assert list(wire.SERVICES) == sorted(wire.LOADER.list_available_services("service-2"))
    for name in wire.SERVICES if wire.WHOLE else wire.SERVICES[::20]:
        service = wire.MODELS.service(name)
        assert set(service.operation_names) == set(wire.botocore_model(name).operation_names)
        for operation in service.operation_names:
            assert service.operation(operation).http["method"]


def test_an_unknown_name_is_a_key_error() -> None:
    models = Models()
    assert not models.knows("nothing")
    with pytest.raises(KeyError):
        models.service("nothing")
    with pytest.raises(KeyError):
        models.service("sts").operation("Nothing")


def test_the_index_finds_services_by_what_a_request_says() -> None:
    index = wire.MODELS.index
    assert index.by_target_prefix["DynamoDB_20120810"] == ("dynamodb",)
    assert "s3" in index.by_signing_name["s3"]
    assert index.by_endpoint_prefix["sqs"] == ("sqs",)
    assert index.services["sqs"].protocols == ("json", "query")
    assert wire.MODELS.actions["GetCallerIdentity"] == ("sts",)
    assert wire.MODELS.actions["SendMessage"] == ("sqs",)


def test_routes_have_their_literals() -> None:
    routes = {route.operation: route for route in wire.MODELS.service("s3").routes()}
    assert (routes["GetObject"].method, routes["GetObject"].path) == ("GET", "/{Bucket}/{Key+}")
    assert routes["ListObjectsV2"].query == {"list-type": "2"}
    assert routes["GetBucketAcl"].query == {"acl": None}


def test_a_member_has_its_own_traits_over_the_shapes() -> None:
    shape = wire.MODELS.service("s3").operation("PutObject").input
    assert shape is not None
    assert shape.members["Bucket"].wire_name == "Bucket"
    assert shape.members["Bucket"].traits["location"] == "uri"
    assert shape.required == ("Bucket", "Key")
