"""URI and host templates."""

from __future__ import annotations

import pytest

from cloudlet.emulator.protocol.uri import HostTemplate, UriTemplate


@pytest.mark.parametrize(
    ("template", "path", "expected"),
    [
        ("/{Bucket}/{Key+}", "/b/a/b%2Fc", ("b", "a/b/c")),
        ("/{Bucket}", "/b/", ("b",)),
        ("/{Bucket}?acl", "/b", ("b",)),
        ("/", "/", ()),
        ("/2015-03-31/functions/{FunctionName}/invocations", "/2015-03-31/functions/f%3A1/invocations", ("f:1",)),
        ("/tags/{resourceArn}", "/tags/arn:aws:x:::a/b", ("arn:aws:x:::a/b",)),
        ("/a/{x}/b/{y}", "/a/1/b/2", ("1", "2")),
        ("/a/{x+}/b", "/a/1/2/b", ("1/2",)),
        ("/a.b/{x}", "/aXb/1", None),
        ("/a/{x}", "/b/1", None),
    ],
)
def test_labels_are_taken_from_paths(template: str, path: str, expected: tuple[str, ...] | None) -> None:
    assert UriTemplate(template).match(path) == expected


def test_labels_are_taken_from_hosts() -> None:
    template = HostTemplate("{AccountId}.")
    found = template.match("123456789012.s3-control.example.com")
    assert template.labels == ("AccountId",)
    assert found is not None
    assert found.groups() == ("123456789012",)
