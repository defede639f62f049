"""The wire: AWS's protocols in both directions, by the service models (see codec.py)."""
