"""AWS Step Functions: state machines, carried out by jobs that survive a killed process and follow the emulator's clock."""

from cloudlet.emulator.kernel.service import Service
from cloudlet.emulator.services.stepfunctions import (
    activities,
    aliases,
    answers,
    callbacks,
    executions,
    histories,
    machines,
    map_runs,
    state_tests,
    tags,
    versions,
)
from cloudlet.emulator.services.stepfunctions.engine import jobs

SERVICE = Service(
    "stepfunctions",
    modules=(machines, versions, aliases, executions, histories, callbacks, activities, map_runs, state_tests, tags),
    jobs=jobs.HANDLERS,
    finish=answers.finish,
)
