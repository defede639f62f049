"""A name server beside the gateway, only where `DNS_ADDRESS` asks for one: AWS's names lead to the emulator."""
