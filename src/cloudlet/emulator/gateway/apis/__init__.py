"""Requests to APIs that users have made with API Gateway: found by their address, answered by their integrations.

    addresses      which API, stage and path a request is for
    rest, http     which resource or route of a REST or HTTP API answers, and how
    events         what a function gets of a request
    answers        what a function's answer, or a mock's, makes of the response
    templates      the few expressions of mapping templates that mocks use

What is asked of API Gateway is asked through its own operations; functions are called through Lambda's.
"""
