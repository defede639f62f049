"""All tasks, in one place; the areas own what they do."""

from __future__ import annotations

from cloudlet.control.work.worker import Task

TASKS: tuple[Task, ...] = ()
