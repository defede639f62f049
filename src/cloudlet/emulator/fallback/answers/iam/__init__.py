"""IAM: AWS's words, limits and conflicts around moto's entities.

words        what all operations have in common: messages, whole seconds
documents    what a policy may say
entities     users, groups, roles, instance profiles, managed policies
boundaries   permissions boundaries of users
credentials  service-specific credentials, OpenID Connect clients, passwords
tags         of what moto does not tag
simulation   what policies allow
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cloudlet.emulator.fallback.answers import ANY, Answer
from cloudlet.emulator.fallback.answers.iam import boundaries, credentials, entities, linked, simulation, tags
from cloudlet.emulator.fallback.answers.iam.words import as_it_is, worded

ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        ANY: worded(as_it_is),
        **{
            name: worded(answer)
            for name, answer in {
                **entities.ANSWERS,
                **boundaries.ANSWERS,
                **credentials.ANSWERS,
                **linked.ANSWERS,
                **tags.ANSWERS,
                **simulation.ANSWERS,
            }.items()
        },
    }
)
