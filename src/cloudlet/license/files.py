"""License files: a signed license as text that can be carried to a machine without a network.

-----BEGIN LICENSE-----
lsl1.k….….…            (the envelope, in lines of 64 characters)
-----END LICENSE-----
"""

from __future__ import annotations

import re
import textwrap

from cloudlet.license.document import DocumentRefused

BEGIN = "-----BEGIN LICENSE-----"
END = "-----END LICENSE-----"
WIDTH = 64
BLOCK = re.compile(re.escape(BEGIN) + r"\r?\n((?:[A-Za-z0-9._-]{1,64}\r?\n)+)" + re.escape(END) + r"\s*")


def looks_like(raw: bytes) -> bool:
    """A license file rather than a format-1 document."""
    return raw.lstrip()[:11] == b"-----BEGIN " or raw.startswith(b"lsl1.")


def render(envelope: str) -> bytes:
    """The file's bytes for an envelope."""
    lines = textwrap.wrap(envelope, WIDTH, break_on_hyphens=False)
    return "\n".join([BEGIN, *lines, END, ""]).encode()


def parse(raw: bytes) -> str:
    """The envelope in a file, or the bare envelope. Raises DocumentRefused. Checks no signature."""
    try:
        text = raw.decode("ascii")
    except UnicodeDecodeError:
        raise DocumentRefused("not a text file") from None
    if text.startswith("lsl1."):
        return text.strip()
    found = BLOCK.fullmatch(text.lstrip())
    if found is None:
        raise DocumentRefused("the LICENSE block is damaged")
    return "".join(found[1].split())
