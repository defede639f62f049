"""AWS Security Token Service."""

from cloudlet.emulator.kernel.service import Service
from cloudlet.emulator.services.sts import identities, roles, saml, tokens, web_identity

SERVICE = Service("sts", modules=(identities, roles, web_identity, saml, tokens))
