"""CloudFormation: stacks by our own engine, `fallback.stacks`.

stacks        CreateStack … SetStackPolicy
resources     of stacks, their events, signals
change_sets   CreateChangeSet … ExecuteChangeSet
stack_sets    CreateStackSet …; stack_instances and stack_set_operations are theirs
templates     GetTemplate, ValidateTemplate …, ListExports, ListImports
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cloudlet.emulator.fallback.answers import Answer
from cloudlet.emulator.fallback.answers.cloudformation import (
    change_sets,
    resources,
    stack_instances,
    stack_set_operations,
    stack_sets,
    stacks,
    templates,
)

ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        "CancelUpdateStack": stacks.cancel_update_stack,
        "ContinueUpdateRollback": stacks.continue_update_rollback,
        "CreateChangeSet": change_sets.create_change_set,
        "CreateStack": stacks.create_stack,
        "CreateStackInstances": stack_instances.create_stack_instances,
        "CreateStackSet": stack_sets.create_stack_set,
        "DeleteChangeSet": change_sets.delete_change_set,
        "DeleteStack": stacks.delete_stack,
        "DeleteStackInstances": stack_instances.delete_stack_instances,
        "DeleteStackSet": stack_sets.delete_stack_set,
        "DescribeAccountLimits": templates.describe_account_limits,
        "DescribeChangeSet": change_sets.describe_change_set,
        "DescribeStackEvents": resources.describe_stack_events,
        "DescribeStackInstance": stack_instances.describe_stack_instance,
        "DescribeStackResource": resources.describe_stack_resource,
        "DescribeStackResources": resources.describe_stack_resources,
        "DescribeStackSet": stack_sets.describe_stack_set,
        "DescribeStackSetOperation": stack_set_operations.describe_operation,
        "DescribeStacks": stacks.describe_stacks,
        "DescribeType": templates.describe_type,
        "EstimateTemplateCost": templates.estimate_template_cost,
        "ExecuteChangeSet": change_sets.execute_change_set,
        "GetStackPolicy": stacks.get_stack_policy,
        "GetTemplate": templates.get_template,
        "GetTemplateSummary": templates.get_template_summary,
        "ImportStacksToStackSet": stack_instances.import_stacks,
        "ListChangeSets": change_sets.list_change_sets,
        "ListExports": templates.list_exports,
        "ListImports": templates.list_imports,
        "ListStackInstances": stack_instances.list_stack_instances,
        "ListStackResources": resources.list_stack_resources,
        "ListStackSetAutoDeploymentTargets": stack_sets.list_auto_deployment_targets,
        "ListStackSetOperationResults": stack_set_operations.list_results,
        "ListStackSetOperations": stack_set_operations.list_operations,
        "ListStackSets": stack_sets.list_stack_sets,
        "ListStacks": stacks.list_stacks,
        "RollbackStack": stacks.rollback_stack,
        "SetStackPolicy": stacks.set_stack_policy,
        "SignalResource": resources.signal_resource,
        "StopStackSetOperation": stack_set_operations.stop_operation,
        "UpdateStack": stacks.update_stack,
        "UpdateStackInstances": stack_instances.update_stack_instances,
        "UpdateStackSet": stack_sets.update_stack_set,
        "UpdateTerminationProtection": stacks.update_termination_protection,
        "ValidateTemplate": templates.validate_template,
    }
)
