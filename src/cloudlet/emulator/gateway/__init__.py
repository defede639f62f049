"""From bytes on a socket to an operation of a service and back: `chain.py` has the whole way on one screen."""
