"""Terraform with the AWS provider: apply, a second plan without drift, destroy.

The provider (600 MB) is not fetched: it has to be in a filesystem mirror on the machine, which TF_MIRROR may name.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

STACK = Path(__file__).parent / "stack"
PROVIDER = "registry.terraform.io/hashicorp/aws/*/*/terraform-provider-aws*"
LIMIT_SECONDS = 240


def mirrors() -> Iterator[Path]:
    """Where a filesystem mirror of providers may be."""
    if "TF_MIRROR" in os.environ:
        yield Path(os.environ["TF_MIRROR"])
        return
    yield from Path("/opt").glob("*")
    for place in ("~/.terraform.d/plugins", "/usr/local/share/terraform/plugins", "/usr/share/terraform/plugins"):
        yield Path(place).expanduser()


def find_provider() -> Path:
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not installed")
    for mirror in mirrors():
        for binary in sorted(mirror.glob(PROVIDER), reverse=True):
            if binary.is_file():
                return binary.parent
    pytest.skip("the AWS provider of Terraform is in no filesystem mirror of this machine (TF_MIRROR names one)")


class Terraform:
    """One working folder of the stack."""

    def __init__(self, folder: Path, url: str, prefix: str) -> None:
        shutil.copytree(STACK, folder)
        self.folder = folder
        settings = folder / "terraform.rc"
        # With an override there is no `init`, which would read and hash the whole provider.
        overrides = f'"hashicorp/aws" = "{find_provider()}"'
        settings.write_text("provider_installation {\n  dev_overrides {\n    " + overrides + "\n  }\n  direct {}\n}\n")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))}
        self.variables = kept | {
            "TF_CLI_CONFIG_FILE": str(settings),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "TF_VAR_endpoint": url,
            "TF_VAR_prefix": prefix,
        }

    def run(self, *words: str, expected: int = 0) -> str:
        done = subprocess.run(
            ["terraform", f"-chdir={self.folder}", *words],
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )
        assert done.returncode == expected, done.stdout
        return done.stdout


@pytest.mark.timeout(3 * LIMIT_SECONDS)
def test_apply_then_no_drift_then_destroy(
    emulator: Any, client: Callable[..., Any], unique: Callable[..., str], tmp_path: Path
) -> None:
    prefix = unique("tf")
    terraform = Terraform(tmp_path / "stack", emulator.url, prefix)
    applied = terraform.run("apply", "-auto-approve", "-input=false", "-no-color")
    assert "6 added, 0 changed, 0 destroyed" in applied
    s3, dynamodb, sqs = client("s3"), client("dynamodb"), client("sqs")
    assert s3.get_bucket_versioning(Bucket=f"{prefix}-photos")["Status"] == "Enabled"
    table = dynamodb.describe_table(TableName=f"{prefix}-songs")["Table"]
    assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["by_plays"]
    assert sqs.get_queue_url(QueueName=f"{prefix}-orders")["QueueUrl"]

    planned = terraform.run("plan", "-detailed-exitcode", "-input=false", "-no-color")  # 2 would mean: changes
    assert "No changes." in planned

    destroyed = terraform.run("destroy", "-auto-approve", "-input=false", "-no-color")
    assert "6 destroyed" in destroyed
    assert f"{prefix}-photos" not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    assert f"{prefix}-songs" not in dynamodb.list_tables()["TableNames"]
