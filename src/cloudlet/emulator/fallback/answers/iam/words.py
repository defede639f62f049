"""What all of IAM's answers have in common: the words of its errors, times in whole seconds."""

from __future__ import annotations

import re
from typing import Any

from cloudlet.emulator.fallback.answers import Answer, Asked
from cloudlet.emulator.kernel.errors import UnmodelledError

# moto's message -> AWS's, as `re.sub` has it
MESSAGES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(said + r"\Z"), meant)
    for said, meant in (
        (r"Role (\S+) not found", r"The role with name \1 cannot be found."),
        (r"Group (\S+) not found", r"The group with name \1 cannot be found."),
        (r"Instance profile (\S+) not found", r"Instance Profile \1 cannot be found."),
        (r"Policy (arn:\S+) not found", r"Policy \1 was not found."),
        (r"User (\S+) already exists", r"User with name \1 already exists."),
        (r"Group (\S+) already exists", r"Group with name \1 already exists."),
        (r"Policy Document (\S+) not attached to role \S+", r"The role policy with name \1 cannot be found."),
        (r"Policy (\S+) not attached to user \S+", r"The user policy with name \1 cannot be found."),
        (r"Policy (\S+) not found", r"The group policy with name \1 cannot be found."),
        (r"User (\S+) already has password", r"Login Profile for user \1 already exists."),
        (r"Login profile for (\S+) not found", r"Login Profile for User \1 cannot be found."),
        (r"The Access Key with id (\S+) cannot be found", r"The Access Key with id \1 cannot be found."),
    )
)


def refuse(code: str, message: str, status: int = 400) -> UnmodelledError:
    return UnmodelledError(code, message, status)


def missing(kind: str, name: str) -> UnmodelledError:
    return refuse("NoSuchEntity", f"The {kind} with name {name} cannot be found.", 404)


def conflict(what: str) -> UnmodelledError:
    return refuse("DeleteConflict", f"Cannot delete entity, must {what} first.", 409)


def taken(message: str) -> UnmodelledError:
    return refuse("EntityAlreadyExists", message, 409)


def as_it_is(asked: Asked) -> dict[str, Any]:
    return asked.proceed()


def worded(answer: Answer) -> Answer:
    """The same answer with AWS's messages and times."""

    def answered(asked: Asked) -> dict[str, Any]:
        for tag in asked.request.get("Tags", ()):
            if tag["Key"].lower().startswith("aws:"):
                raise refuse("InvalidInput", "aws: prefixed tag key names are not allowed for external use.")
        try:
            result: dict[str, Any] = whole_seconds(answer(asked))
        except UnmodelledError as error:
            for said, meant in MESSAGES:
                if said.match(error.message):
                    raise refuse(error.code, said.sub(meant, error.message), error.status) from error
            raise
        return result

    return answered


def whole_seconds(value: Any) -> Any:
    """IAM's only numbers with a fraction are times, and it sends them without one."""
    if isinstance(value, dict):
        return {name: whole_seconds(item) for name, item in value.items()}
    if isinstance(value, list):
        return [whole_seconds(item) for item in value]
    return int(value) if isinstance(value, float) else value
