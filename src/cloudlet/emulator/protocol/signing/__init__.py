"""AWS's request signatures, versions 4 and 2: pure functions. `check.check_s3_signature` is the front."""
