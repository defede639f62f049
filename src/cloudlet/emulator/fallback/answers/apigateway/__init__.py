"""API Gateway's REST APIs: what is named has to be there, in AWS's words; patches of everything; gateway responses.

present     what a request names, looked for before moto is asked
patches     operations that change a part: `UpdateMethod` and its like
apis        APIs, resources, methods: checks and members that AWS sends
responses   gateway responses with their defaults
documents   documentation parts and versions, client certificates
tags        by ARN
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cloudlet.emulator.fallback.answers import ANY, Answer
from cloudlet.emulator.fallback.answers.apigateway import apis, documents, patches, responses, tags
from cloudlet.emulator.fallback.answers.apigateway.present import as_it_is, checked

ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        ANY: checked(as_it_is),
        **{
            name: checked(answer)
            for name, answer in {
                **apis.ANSWERS,
                **patches.ANSWERS,
                **responses.ANSWERS,
                **documents.ANSWERS,
                **tags.ANSWERS,
            }.items()
        },
    }
)
