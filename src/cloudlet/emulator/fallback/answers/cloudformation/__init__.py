"""CloudFormation: stacks by our own engine, `fallback.stacks`. Stack sets stay moto's, their stacks are made here.

stacks        CreateStack … SetStackPolicy
resources     of stacks, their events, signals
change_sets   CreateChangeSet … ExecuteChangeSet
templates     GetTemplate, ValidateTemplate …, ListExports, ListImports
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cloudlet.emulator.fallback.answers import Answer
from cloudlet.emulator.fallback.answers.cloudformation import change_sets, resources, stacks, templates

ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        "CancelUpdateStack": stacks.cancel_update_stack,
        "ContinueUpdateRollback": stacks.continue_update_rollback,
        "CreateChangeSet": change_sets.create_change_set,
        "CreateStack": stacks.create_stack,
        "DeleteChangeSet": change_sets.delete_change_set,
        "DeleteStack": stacks.delete_stack,
        "DescribeAccountLimits": templates.describe_account_limits,
        "DescribeChangeSet": change_sets.describe_change_set,
        "DescribeStackEvents": resources.describe_stack_events,
        "DescribeStackResource": resources.describe_stack_resource,
        "DescribeStackResources": resources.describe_stack_resources,
        "DescribeStacks": stacks.describe_stacks,
        "DescribeType": templates.describe_type,
        "EstimateTemplateCost": templates.estimate_template_cost,
        "ExecuteChangeSet": change_sets.execute_change_set,
        "GetStackPolicy": stacks.get_stack_policy,
        "GetTemplate": templates.get_template,
        "GetTemplateSummary": templates.get_template_summary,
        "ListChangeSets": change_sets.list_change_sets,
        "ListExports": templates.list_exports,
        "ListImports": templates.list_imports,
        "ListStackResources": resources.list_stack_resources,
        "ListStacks": stacks.list_stacks,
        "RollbackStack": stacks.rollback_stack,
        "SetStackPolicy": stacks.set_stack_policy,
        "SignalResource": resources.signal_resource,
        "UpdateStack": stacks.update_stack,
        "UpdateTerminationProtection": stacks.update_termination_protection,
        "ValidateTemplate": templates.validate_template,
    }
)
