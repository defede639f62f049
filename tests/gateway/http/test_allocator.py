"""The C library is told to keep large buffers, where it can be told."""

from __future__ import annotations

import platform

from cloudlet.emulator.gateway.http.allocator import keep_buffers


def test_glibc_can_be_told() -> None:
    assert keep_buffers() == (platform.libc_ver()[0] == "glibc")
