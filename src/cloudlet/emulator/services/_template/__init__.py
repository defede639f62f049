"""AWS Account Management: alternate contacts, and the regions that an account opted into.

This folder is the template of `make new-service`: small, whole, and tested. It is served under no name itself.
"""

from cloudlet.emulator.effects.jobs import JobHandler
from cloudlet.emulator.kernel.service import Service
from cloudlet.emulator.services._template import alternate_contacts, jobs, regions

SERVICE = Service(
    "account",
    modules=(alternate_contacts, regions),
    jobs=(JobHandler(jobs.SETTLE, jobs.settle),),
)
