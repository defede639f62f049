"""One's device tokens: what each command line that signed in holds."""

from __future__ import annotations

from cloudlet.control.api.operation import Call, Page, operation
from cloudlet.control.devices.tokens import revoke_device
from cloudlet.control.devices.views import DeviceView, device_views
from cloudlet.control.permissions import SIGNED_IN

DEVICES = "/workspaces/{workspace_id}/tokens/devices"


@operation("GET", DEVICES, SIGNED_IN)
def list_devices(call: Call) -> Page[DeviceView]:
    """One's living device tokens, masked."""
    return Page(device_views(call.session, call.viewer.membership_id))


@operation("DELETE", DEVICES + "/{device_id}", SIGNED_IN, people_only=True)
def delete_device(call: Call, device_id: str) -> None:
    """The device's tokens are dead at once."""
    viewer = call.viewer
    revoke_device(call.session, call.platform, viewer.membership_id, device_id, actor=viewer.actor, ip=call.ip)


OPERATIONS = (
    list_devices,
    delete_device,
)
