"""Amazon EventBridge Pipes."""

from cloudlet.emulator.kernel.service import Service
from cloudlet.emulator.services.pipes import pipes, watching

SERVICE = Service("pipes", modules=(pipes,), background=watching.watch)
