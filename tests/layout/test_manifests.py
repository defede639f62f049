"""What a manifest says works is written, and what is written stands in the manifest."""

from __future__ import annotations

import inspect

import pytest

from cloudlet.emulator.gateway.registry import Registry
from cloudlet.emulator.kernel.naming import snake_case
from tools.coverage_page import Coverage, coverage

ROWS = coverage()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_listed_operation_has_a_handler(row: Coverage) -> None:
    registry = Registry()
    assert [name for name in (*row.done, *row.partial) if registry.handler(row.name, name) is None] == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_handler_of_an_operation_is_listed(row: Coverage) -> None:
    registry = Registry()
    written = [name for name in row.missing if registry.handler(row.name, name) is not None]
    assert written == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_no_two_modules_have_the_same_operation(row: Coverage) -> None:
    service = Registry().load(row.name)
    assert service is not None
    names = {snake_case(name) for name in row.operations}
    found = [
        (name, module.__name__)
        for module in service.modules
        for name, value in vars(module).items()
        if name in names and inspect.isfunction(value) and value.__module__ == module.__name__
    ]
    assert len({name for name, _ in found}) == len(found), found
