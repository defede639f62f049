"""What can be wrong with a pod. The message of each is for a person.

PodError ─┬─ UnknownPod    there is none of that name, or no such version
          ├─ BadArchive    this is no pod, or a damaged one
          ├─ Mismatch      it is of a version that does not fit this one
          ├─ NoRoom        the plan's megabytes are used up
          └─ BadRemote     the remote cannot be used
"""

from __future__ import annotations


class PodError(Exception):
    """Nothing was changed."""


class UnknownPod(PodError):
    pass


class BadArchive(PodError):
    pass


class Mismatch(PodError):
    pass


class NoRoom(PodError):
    pass


class BadRemote(PodError):
    pass
