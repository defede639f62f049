"""The contracts between the gateway and the services: calls, operations, services and errors."""
