"""All tasks, in one place; the areas own what they do."""

from __future__ import annotations

from cloudlet.control.devices import service as devices
from cloudlet.control.limits import service as limits
from cloudlet.control.work.worker import Task

TASKS: tuple[Task, ...] = (
    Task("limits", seconds=3600, run=limits.forget),
    Task("devices", seconds=3600, run=devices.forget_old),
)
