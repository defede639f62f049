"""Amazon DynamoDB Streams. DynamoDB keeps the changes; this service reads them."""

from __future__ import annotations

from cloudlet.emulator.kernel.service import Service
from cloudlet.emulator.services.dynamodbstreams import changes, streams

SERVICE = Service("dynamodbstreams", modules=(streams, changes))
