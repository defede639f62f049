"""`tools/generate_api.py`: types and errors of a service."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.generate_api import folders, generate


def written(tmp_path: Path, manifest: str) -> str:
    (tmp_path / "service.toml").write_text(manifest)
    text = generate(tmp_path)
    compile(text, "api.py", "exec")
    return text


def test_only_listed_operations_are_there(tmp_path: Path) -> None:
    text = written(
        tmp_path, '[service]\nmodel = "sqs"\n[operations]\ndone = ["GetQueueUrl"]\npartial = ["DeleteQueue"]'
    )
    assert (
        "    class GetQueueUrlRequest(TypedDict):\n        QueueName: str\n"
        "        QueueOwnerAWSAccountId: NotRequired[str]\n" in text
    )
    assert "class DeleteQueueRequest(TypedDict):" in text
    assert "class DeleteQueueResult(TypedDict):\n        pass" in text
    assert "\nelse:\n" in text
    assert "    GetQueueUrlRequest = dict\n" in text
    assert "SendMessage" not in text


def test_recursive_shapes_and_bytes(tmp_path: Path) -> None:
    text = written(tmp_path, '[service]\nmodel = "dynamodb"\n[operations]\ndone = ["GetItem"]')
    assert "    B: NotRequired[bytes]\n" in text
    assert "    M: NotRequired[dict[str, AttributeValue]]\n" in text


def test_streams_in_and_out(tmp_path: Path) -> None:
    text = written(tmp_path, '[service]\nmodel = "s3"\n[operations]\ndone = ["PutObject", "GetObject"]')
    assert "    Body: NotRequired[Body]\n" in text
    assert "    Body: NotRequired[ResponseBody]\n" in text
    assert "import Body, ResponseBody" in text


def test_errors_have_code_status_and_fault(tmp_path: Path) -> None:
    text = written(tmp_path, '[service]\nmodel = "sns"\n[operations]\ndone = ["GetTopicAttributes"]')
    assert (
        'class NotFoundException(AwsError):\n    code = "NotFound"\n    status = 404\n    sender_fault = True' in text
    )
    assert (
        'class InternalErrorException(AwsError):\n    code = "InternalError"\n    status = 500\n    sender_fault = False'
        in text
    )


def test_the_manifest_says_what_the_model_lacks(tmp_path: Path) -> None:
    text = written(
        tmp_path,
        '[service]\nmodel = "sqs"\n[operations]\ndone = ["GetQueueUrl"]\n'
        '[errors.QueueDoesNotExist]\nquery_code = "AWS.SimpleQueueService.NonExistentQueue"\nstatus = 404',
    )
    assert 'query_code = "AWS.SimpleQueueService.NonExistentQueue"\n    status = 404' in text


def test_an_unknown_operation_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="Nothing"):
        written(tmp_path, '[service]\nmodel = "sqs"\n[operations]\ndone = ["Nothing"]')


@pytest.mark.parametrize("folder", folders(()), ids=lambda folder: folder.name)
def test_every_api_is_current(folder: Path) -> None:
    assert (folder / "api.py").read_text() == generate(folder), "run `make generate`"
