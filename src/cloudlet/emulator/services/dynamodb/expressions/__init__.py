"""DynamoDB's expression languages.

    text ─ tokens ─ parser (recursive descent) ─ nodes ─┬─ conditions        ConditionExpression, FilterExpression
                                                        ├─ key_conditions    KeyConditionExpression
                                                        ├─ updates           UpdateExpression
                                                        └─ projections       ProjectionExpression
    legacy parameters (Expected, KeyConditions, AttributeUpdates, …) ─ legacy ─ the same compiled forms

An expression is compiled for its text and its attribute names, kept in a bounded cache, and then applied to many items
with the values of each request.
"""
