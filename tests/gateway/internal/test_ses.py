"""`/_aws/ses`: what SES, v1 and v2, was given to send."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.gateway.internal.test_localstack_endpoints import call, get
from tests.gateway.internal.test_state_endpoints import check
from tests.pods.conftest import licensed  # noqa: F401  a fixture

Start = Callable[..., Any]
TO = {"ToAddresses": ["you@example.com"]}
BASE = 1_800_000_000
RAW = b"From: Me <me@example.com>\nTo: you@example.com\nSubject: raw\n\nbody"


def sender(emulator: Any) -> Any:
    ses = emulator.client("ses")
    ses.verify_email_identity(EmailAddress="me@example.com")
    return ses


def text(subject: str, **parts: str) -> dict[str, Any]:
    return {"Subject": {"Data": subject}, "Body": {name: {"Data": data} for name, data in parts.items()}}


def messages(emulator: Any, query: str = "") -> list[dict[str, Any]]:
    answer = get(emulator, f"/_aws/ses{query}")
    check(answer, "/_aws/ses")
    found: list[dict[str, Any]] = answer["messages"]
    return found


def test_a_message_has_the_time_of_its_sending_and_both_parts(start_emulator: Start) -> None:
    emulator = start_emulator()
    ses = sender(emulator)
    call(emulator, "POST", "/_cloudlet/clock/freeze", {"epoch": BASE})
    ses.send_email(Source="me@example.com", Destination=TO, Message=text("first", Text="t", Html="<h>"))
    call(emulator, "POST", "/_cloudlet/clock/advance", {"seconds": 60})
    ses.send_email(Source="me@example.com", Destination=TO, Message=text("second", Html="<h>"))
    call(emulator, "POST", "/_cloudlet/clock/advance", {"seconds": 3600})
    first, second = messages(emulator)
    assert (first["Timestamp"], second["Timestamp"]) == ("2027-01-15T08:00:00", "2027-01-15T08:01:00")
    assert (first["Subject"], first["Body"]) == ("first", {"text_part": "t", "html_part": "<h>"})
    assert second["Body"] == {"text_part": "", "html_part": "<h>"}
    assert first["Destination"] == TO


def test_raw_templated_and_bulk_messages_are_shown(start_emulator: Start) -> None:
    emulator = start_emulator()
    ses = sender(emulator)
    assert messages(emulator) == []
    ses.send_raw_email(RawMessage={"Data": RAW})
    ses.create_template(Template={"TemplateName": "hello", "SubjectPart": "Hi", "TextPart": "{{name}}"})
    ses.send_templated_email(Source="me@example.com", Destination=TO, Template="hello", TemplateData='{"name": "ada"}')
    sent = ses.send_bulk_templated_email(
        Source="me@example.com",
        Template="hello",
        DefaultTemplateData='{"name": "all"}',
        Destinations=[
            {"Destination": TO, "ReplacementTemplateData": '{"name": "one"}'},
            {"Destination": {"ToAddresses": ["b@example.com"], "CcAddresses": ["c@example.com"]}},
        ],
    )
    raw, templated, one, two = messages(emulator)
    assert (raw["Source"], raw["Subject"], raw["RawData"]) == ("me@example.com", "raw", RAW.decode())
    assert (templated["Template"], templated["TemplateData"]) == ("hello", '{"name": "ada"}')
    assert [one["Id"], two["Id"]] == [status["MessageId"] for status in sent["Status"]]
    assert [one["TemplateData"], two["TemplateData"]] == ['{"name": "one"}', '{"name": "all"}']
    assert two["Destination"] == {"ToAddresses": ["b@example.com"], "CcAddresses": ["c@example.com"]}


def test_messages_are_chosen_and_forgotten(start_emulator: Start) -> None:
    emulator = start_emulator(PERSISTENCE="1")
    ses = sender(emulator)
    ses.verify_email_identity(EmailAddress="other@example.com")
    first = ses.send_email(Source="me@example.com", Destination=TO, Message=text("1", Text="t"))["MessageId"]
    ses.send_email(Source="other@example.com", Destination=TO, Message=text("2", Text="t"))
    assert [message["Id"] for message in messages(emulator, f"?id={first}")] == [first]
    assert [message["Subject"] for message in messages(emulator, "?email=other@example.com")] == ["2"]
    assert messages(emulator, "?email=nobody@example.com") == []
    emulator.stop()
    emulator.restart()
    assert [message["Subject"] for message in messages(emulator)] == ["1", "2"]
    assert call(emulator, "DELETE", f"/_aws/ses?id={first}") == (204, b"")
    emulator.stop()
    emulator.restart()
    assert [message["Subject"] for message in messages(emulator)] == ["2"]
    assert call(emulator, "DELETE", "/_aws/ses") == (204, b"")
    assert messages(emulator) == []
    emulator.stop()
    emulator.restart()
    assert messages(emulator) == []


def test_every_content_of_the_second_version_is_shown(licensed: Any) -> None:  # noqa: F811
    emulator = licensed().running
    sender(emulator).create_template(Template={"TemplateName": "hello", "SubjectPart": "Hi", "TextPart": "{{name}}"})
    ses = emulator.client("sesv2")
    options = {"FromEmailAddress": "me@example.com", "Destination": TO}
    content = {"Subject": "Hi {{name}}", "Text": "Dear {{ name }}", "Html": "<p>"}
    ids = [
        ses.send_email(**options, Content=each)["MessageId"]
        for each in (
            {"Simple": text("simple", Text="t", Html="<h>")},
            {"Raw": {"Data": RAW}},
            {"Template": {"TemplateName": "hello", "TemplateData": '{"name": "ada"}'}},
            {"Template": {"TemplateContent": content, "TemplateData": '{"name": "ada"}'}},
        )
    ]
    simple, raw, templated, inline = found = messages(emulator)
    assert [message["Id"] for message in found] == ids
    assert {message["Source"] for message in found} == {"me@example.com"}
    assert all(message["Destination"] == TO for message in found)
    assert simple["Body"] == {"text_part": "t", "html_part": "<h>"}
    assert raw["RawData"] == RAW.decode()
    assert (templated["Template"], templated["TemplateData"]) == ("hello", '{"name": "ada"}')
    assert (inline["Subject"], inline["Body"]) == ("Hi ada", {"text_part": "Dear ada", "html_part": "<p>"})
    for wrong, code in (
        ({"Template": {"TemplateName": "nothing", "TemplateData": "{}"}}, "NotFoundException"),
        ({"Template": {"TemplateName": "hello", "TemplateData": "[]"}}, "BadRequestException"),
        ({"Simple": text("s", Text="t"), "Raw": {"Data": RAW}}, "BadRequestException"),
        ({}, "BadRequestException"),
    ):
        with pytest.raises(ClientError) as caught:
            ses.send_email(**options, Content=wrong)
        assert caught.value.response["Error"]["Code"] == code
