"""What moto answers wrongly where tools depend on it, put right on its classes when a service of it is loaded.

    CORRECTIONS["cloudformation"](load)        load("moto.cloudformation.models") gives the module

Each correction says what AWS does and who needs it. What a correction would have to write anew is better written as a
native service.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType, ModuleType
from typing import Any

Load = Callable[[str], ModuleType]

SERVERLESS = "AWS::Serverless-2016-10-31"


def correct_cloudformation(load: Load) -> None:
    """Change sets, on which the AWS CDK and SAM build, and which moto knows by their name alone.

    A stack made by one has its outputs, parameters and template; a name means the change set of its stack; deleting one
    that is not there is no error (both tools do it first).
    """
    models, responses = load("moto.cloudformation.models"), load("moto.cloudformation.responses")
    complete_change_sets(models.ChangeSet)
    name_change_sets_by_stack(responses, load("moto.cloudformation.exceptions").CloudFormationError)
    keep_previous_values(responses.CloudFormationResponse)
    expand_macros(load)
    attach_managed_policies(load("moto.iam.models"))


def correct_iam(load: Load) -> None:
    """Ids that tell the kind of what they name, as tools and policies expect them: AIDA… is a user, ANPA… a policy."""
    models = load("moto.iam.models")
    kinds = ((models.User, "AIDA"), (models.Group, "AGPA"), (models.Policy, "ANPA"), (models.InstanceProfile, "AIPA"))
    for kind, prefix in kinds:
        name_by_kind(kind, prefix)


def name_by_kind(kind: Any, prefix: str) -> None:
    initialize = kind.__init__

    def initialized(self: Any, *arguments: Any, **options: Any) -> None:
        initialize(self, *arguments, **options)
        self.id = f"{prefix}{self.id.upper()[:17]:A<17}"

    kind.__init__ = initialized


def correct_kms(load: Load) -> None:
    """No RSA key for keys that are no RSA keys: it costs a tenth of a second and is never used."""
    models = load("moto.kms.models")
    generate = models.generate_private_key
    vars(models)["generate_private_key"] = lambda spec: generate(spec) if spec.startswith(("RSA", "ECC")) else None


def complete_change_sets(change_set: Any) -> None:
    original = change_set.apply

    def apply(self: Any) -> None:
        original(self)
        self.stack.template = self.template
        self.stack._parse_template()
        self.stack.parameters = self.parameters
        self.stack.output_map = self.stack._create_output_map()

    change_set.apply = apply


def name_change_sets_by_stack(responses: Any, error: Any) -> None:
    response = responses.CloudFormationResponse

    class ChangeSetNotFound(error):  # type: ignore[misc]
        code = "ChangeSetNotFound"
        status_code = 404

    def of_stack(self: Any) -> list[Any]:
        stack = self._get_param("StackName")
        change_sets = self.cloudformation_backend.list_change_sets()
        return [made for made in change_sets if stack in (None, made.stack_name, made.stack_id)]

    def choose(self: Any) -> str | None:
        """The id of the change set that the request names."""
        name = self._get_param("ChangeSetName")
        found = [made for made in of_stack(self) if name in (made.change_set_id, made.change_set_name)]
        return str(found[-1].change_set_id) if found else None

    def with_id(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def answer(self: Any) -> Any:
            chosen = choose(self)
            if chosen is None:
                raise ChangeSetNotFound(f"ChangeSet [{self._get_param('ChangeSetName')}] does not exist")
            self.params["ChangeSetName"] = chosen
            return original(self)

        return answer

    delete = response.delete_change_set

    def delete_change_set(self: Any) -> Any:
        chosen = choose(self)
        if chosen is None:
            return responses.EmptyResult()
        self.params["ChangeSetName"] = chosen
        return delete(self)

    response.delete_change_set = delete_change_set
    response.describe_change_set = with_id(response.describe_change_set)
    response.execute_change_set = with_id(response.execute_change_set)
    response.list_change_sets = lambda self: responses.ActionResult({"Summaries": of_stack(self)})


def keep_previous_values(response: Any) -> None:
    """`UsePreviousValue` means what was given, not what moto made of it: for a parameter of SSM's, its name there."""

    def with_given_values(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def answer(self: Any) -> Any:
            parameters = self._get_param("Parameters", [])
            stack = find_stack(self.cloudformation_backend, self._get_param("StackName"))
            if stack is not None and any(parameter.get("UsePreviousValue") for parameter in parameters):
                self.params["Parameters"] = list(given(parameters, stack.parameters))
            return original(self)

        return answer

    response.create_change_set = with_given_values(response.create_change_set)
    response.update_stack = with_given_values(response.update_stack)


def expand_macros(load: Load) -> None:
    """A template of the Serverless Application Model becomes what it stands for before anything is made of it."""
    models, refused = load("moto.cloudformation.models"), load("moto.cloudformation.exceptions").ValidationError

    def expand(self: Any, account: str, region: str) -> None:
        if SERVERLESS not in transforms_of(self.template_dict):
            return
        module = load("cloudlet.emulator.fallback.transforms")
        policies = load("moto.iam.models").iam_backends[account]["aws"].managed_policies
        arns = {policy.name: arn for arn, policy in policies.items()}
        try:
            self.template_dict = module.expand_serverless(self.template_dict, self.parameters, region, arns)
        except module.TransformFailed as error:
            raise refused(message=str(error)) from error

    stack, change_set = models.Stack, models.ChangeSet
    initialize, parse_stack, parse_change_set = stack.__init__, stack._parse_template, change_set._parse_template

    def new_stack(self: Any, *, parameters: dict[str, str], region_name: str, **options: Any) -> None:
        self.parameters, self.region_name = parameters, region_name  # moto parses the template before it has them
        initialize(self, parameters=parameters, region_name=region_name, **options)

    def parse_template_of_stack(self: Any) -> None:
        parse_stack(self)
        expand(self, self.account_id, self.region_name)

    def parse_template_of_change_set(self: Any) -> None:
        parse_change_set(self)
        expand(self, self.stack.account_id, self.stack.region_name)

    stack.__init__ = new_stack
    stack._parse_template = parse_template_of_stack
    change_set._parse_template = parse_template_of_change_set


def attach_managed_policies(iam: Any) -> None:
    """A role's `ManagedPolicyArns`, which every function of the CDK and SAM has, are attached to it."""
    create = iam.Role.create_from_cloudformation_json

    def create_role(name: str, definition: dict[str, Any], account_id: str, region_name: str, **options: Any) -> Any:
        role = create(name, definition, account_id, region_name, **options)
        backend = iam.iam_backends[account_id]["aws"]
        for arn in (definition.get("Properties") or {}).get("ManagedPolicyArns") or []:
            backend.attach_role_policy(arn, role.name)
        return role

    iam.Role.create_from_cloudformation_json = staticmethod(create_role)
    remove = iam.Role.delete_from_cloudformation_json

    def delete_role(name: str, definition: dict[str, Any], account_id: str, region_name: str) -> None:
        backend = iam.iam_backends[account_id]["aws"]
        for role in [role for role in backend.roles.values() if role.name == name]:
            for arn in tuple(role.managed_policies):
                backend.detach_role_policy(arn, role.name)
        remove(name, definition, account_id, region_name)

    iam.Role.delete_from_cloudformation_json = staticmethod(delete_role)


def transforms_of(template: dict[str, Any]) -> list[Any]:
    named = template.get("Transform") or []
    return named if isinstance(named, list) else [named]


def find_stack(backend: Any, name: str | None) -> Any:
    """The stack with this name or id, None when there is none."""
    return next((stack for stack in backend.stacks.values() if name in (stack.name, stack.stack_id)), None)


def given(parameters: list[dict[str, Any]], before: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The request's parameters with their values; one that nobody ever gave is left out, its default counts again."""
    for parameter in parameters:
        name = parameter["ParameterKey"]
        if not parameter.get("UsePreviousValue"):
            yield parameter
        elif name in before:
            yield {"ParameterKey": name, "ParameterValue": before[name]}


CORRECTIONS: Mapping[str, Callable[[Load], None]] = MappingProxyType(
    {"cloudformation": correct_cloudformation, "iam": correct_iam, "kms": correct_kms}
)
