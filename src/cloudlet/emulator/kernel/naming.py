"""How the names of the models become names in Python."""

from __future__ import annotations

import keyword
import re

WORD_START = re.compile(r"([^_])([A-Z][a-z]+)")
UPPER_AFTER_LOWER = re.compile(r"([a-z0-9])([A-Z])")


def snake_case(name: str) -> str:
    """`AssumeRoleWithSAML` -> `assume_role_with_saml`, as boto3 names its methods."""
    return UPPER_AFTER_LOWER.sub(r"\1_\2", WORD_START.sub(r"\1_\2", name)).lower()


def folder_name(service: str) -> str:
    """The folder of a service: `cognito-idp` -> `cognito_idp`, `lambda` -> `lambda_`."""
    name = service.replace("-", "_")
    return name + "_" if keyword.iskeyword(name) else name
