"""Compile botocore's service models into `src/cloudlet/emulator/protocol/data/`.

    python -m tools.generate_models [--check]

One `<service>.json.z` a service (zlib over JSON, documentation left out, unreachable shapes left out), `_index.json.z`
(what tells a request's service) and `_actions.json.z` (query and ec2 actions). `protocol/models.py` reads them.
`--check` writes nothing and exits with 1 when a file is not current; it compares what the files say, not how they are
compressed, so another zlib is no difference.
"""

from __future__ import annotations

import json
import sys
import zlib
from pathlib import Path
from typing import Any

import botocore.loaders

from tools.model_amendments import amend

DATA = Path(__file__).resolve().parent.parent / "src" / "cloudlet" / "emulator" / "protocol" / "data"
SUFFIX = ".json.z"

METADATA = (
    "apiVersion",
    "awsQueryCompatible",
    "endpointPrefix",
    "globalEndpoint",
    "jsonVersion",
    "protocol",
    "protocols",
    "serviceAbbreviation",
    "serviceFullName",
    "serviceId",
    "signatureVersion",
    "signingName",
    "targetPrefix",
    "xmlNamespace",
)
OPERATION = ("authtype", "endpoint", "httpChecksum", "httpChecksumRequired", "requestcompression", "unsignedPayload")
NOT_SERVED = frozenset(
    {
        "documentation",
        "deprecated",
        "deprecatedMessage",
        "deprecatedSince",
        "contextParam",
        "box",
        "synthetic",
        "retryable",
        "xmlOrder",
    }
)


def compile_service(name: str, model: dict[str, Any]) -> dict[str, Any]:
    """The part of botocore's model that serving needs."""
    amend(name, model)
    operations = {operation: compile_operation(described) for operation, described in model["operations"].items()}
    shapes: dict[str, Any] = {}
    waiting = []
    for operation in operations.values():
        waiting += [operation[direction]["shape"] for direction in ("input", "output") if direction in operation]
        waiting += operation.get("errors", [])
    while waiting:
        shape = waiting.pop(0)
        if shape not in shapes:
            shapes[shape] = compile_shape(model["shapes"][shape])
            waiting += references(shapes[shape])
    metadata = {key: model["metadata"][key] for key in METADATA if key in model["metadata"]}
    return {"metadata": metadata, "operations": operations, "shapes": {key: shapes[key] for key in sorted(shapes)}}


def compile_operation(described: dict[str, Any]) -> dict[str, Any]:
    compiled = {"http": described["http"]}
    for direction in ("input", "output"):
        if direction in described:
            compiled[direction] = without_documentation(described[direction])
    if described.get("errors"):
        compiled["errors"] = [error["shape"] for error in described["errors"]]
    compiled.update({key: described[key] for key in OPERATION if key in described})
    return compiled


def compile_shape(described: dict[str, Any]) -> dict[str, Any]:
    compiled = without_documentation(described)
    if "members" in compiled:
        compiled["members"] = {name: without_documentation(member) for name, member in compiled["members"].items()}
    for part in ("member", "key", "value"):
        if part in compiled:
            compiled[part] = without_documentation(compiled[part])
    if not compiled.get("required", True):
        del compiled["required"]
    return compiled


def without_documentation(described: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in described.items() if key not in NOT_SERVED}


def references(shape: dict[str, Any]) -> list[str]:
    found = [member["shape"] for member in shape.get("members", {}).values()]
    return found + [shape[part]["shape"] for part in ("member", "key", "value") if part in shape]


def index_entry(name: str, metadata: dict[str, Any]) -> list[Any]:
    """`models.ServiceEntry` as an array."""
    protocols = metadata.get("protocols") or [metadata["protocol"]]
    ordered = [metadata["protocol"], *(p for p in protocols if p != metadata["protocol"])]
    prefix = metadata["endpointPrefix"]
    signing = metadata.get("signingName", prefix)
    target = metadata.get("targetPrefix", "")
    return [name, ordered, metadata["apiVersion"], signing, prefix, target, metadata["serviceId"]]


def compiled_files() -> dict[str, bytes]:
    """File name → JSON."""
    loader = botocore.loaders.Loader()
    files: dict[str, bytes] = {}
    index = []
    actions: dict[str, list[str]] = {}
    for name in sorted(loader.list_available_services("service-2")):
        compiled = compile_service(name, loader.load_service_model(name, "service-2"))
        entry = index_entry(name, compiled["metadata"])
        index.append(entry)
        if not {"query", "ec2"}.isdisjoint(entry[1]):
            for operation in compiled["operations"]:
                actions.setdefault(operation, []).append(name)
        files[name + SUFFIX] = encoded(compiled)
    files["_index" + SUFFIX] = encoded(index)
    files["_actions" + SUFFIX] = encoded({action: actions[action] for action in sorted(actions)})
    return files


def encoded(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def main(arguments: list[str]) -> int:
    files = compiled_files()
    present = {path.name for path in DATA.glob("*" + SUFFIX)}
    stale = sorted(present - set(files))
    for name, data in sorted(files.items()):
        if name not in present or zlib.decompress((DATA / name).read_bytes()) != data:
            stale.append(name)
    if "--check" in arguments:
        if stale:
            print(f"{len(stale)} compiled models are not current ({', '.join(stale[:5])}, …): run `make generate`")
        return 1 if stale else 0
    DATA.mkdir(exist_ok=True)
    for name in stale:
        if name in files:
            (DATA / name).write_bytes(zlib.compress(files[name], 9))
        else:
            (DATA / name).unlink()
    print(f"{len(stale)} of {len(files)} compiled models written to {DATA}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
