"""Plans as a file that operators edit: what is wrong with it is said with its line; what it says is in force."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudlet.control.db import Database
from cloudlet.control.licenses.plan_file import PlanEntry, PlanFileError, parse_plans, read_plan_file, render_plans
from cloudlet.control.licenses.plans import all_plans, apply_plans, entry_of, find_plan
from cloudlet.control.platform import Platform
from cloudlet.control.prepare import prepare
from cloudlet.license.effects import SYSTEM
from cloudlet.settings import PlatformSettings, read_platform_settings
from tests.cli.conftest import CommandLine
from tests.control.serving import RunningPlatform

TRIAL = '[trial]\ndisplay = "Trial"\nentitlements = ["aws/*"]\n'
BASE = '\n[base]\ndisplay = "Base"\nentitlements = ["aws/community"]\n'  # lines 5, 6, 7


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[trial\n", "line 1: not TOML: Expected ']'"),
        (BASE, "plans.toml: there is no [trial]"),
        (TRIAL + BASE + "seats = 0\n", "line 8: base.seats: is a number from 1 to 100000"),
        (TRIAL + BASE + 'seats = "many"\n', "line 8: base.seats: expected `int`, got `str`"),
        (TRIAL + BASE + "seets = 3\n", "line 8: base.seets: there is no such field; a plan has display, entitlements"),
        (TRIAL + BASE + "seats = 3\nmax_seats = 2\n", "line 8: base.seats: is more than max_seats (2)"),
        (TRIAL + BASE + "offline_hours = 9000\n", "line 8: base.offline_hours: is a number from 1 to 8760"),
        (TRIAL + BASE + 'limits = { "platform/ci" = -1 }\n', "line 8: base.limits: a limit is 0 or more"),
        (TRIAL + BASE + '[base.limits]\n"platform/ci" = -1\n', "line 8: base.limits: a limit is 0 or more"),
        (TRIAL + BASE + 'versions = "latest"\n', "line 8: base.versions: is * or a release"),
        (TRIAL + BASE + 'aliases = ["trial"]\n', "line 8: base.aliases: 'trial' is [trial]’s already"),
        (TRIAL + BASE + 'aliases = ["Pro!"]\n', "line 8: base.aliases: 'Pro!' is no code"),
        (TRIAL + '\n[Base]\ndisplay = "B"\nentitlements = []\n', "line 5: Base: a plan's code is a small letter"),
        (TRIAL + "\n[base]\nentitlements = []\n", "line 5: base: object missing required field `display`"),
        (TRIAL + '\n[base]\ndisplay = "B"\nentitlements = ["rds"]\n', "line 7: base.entitlements: 'rds' is not aws/"),
        (TRIAL + '\n[base]\ndisplay = "B"\nentitlements = ["aws/a", "aws/a"]\n', "line 7: base.entitlements: names"),
        ("base = 3\n" + TRIAL, "line 1: base: is no table"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_line(text: str, said: str) -> None:
    with pytest.raises(PlanFileError) as caught:
        parse_plans(text, "plans.toml")
    assert said in str(caught.value)


def test_a_file_that_cannot_be_read_is_told_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(PlanFileError, match=r"absent\.toml: No such file"):
        read_plan_file(str(tmp_path / "absent.toml"))
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(PlanFileError, match="not UTF-8 text"):
        read_plan_file(str(tmp_path / "bytes.toml"))


NAMES = st.from_regex(r"(aws|platform)/[a-z0-9][a-z0-9-]{0,20}\*?", fullmatch=True)
ENTRIES = st.builds(
    PlanEntry,
    display=st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=80).filter(str.strip),
    summary=st.text(st.characters(exclude_categories=("Cs",)), max_size=200),
    entitlements=st.lists(NAMES, unique=True, max_size=5).map(tuple),
    limits=st.dictionaries(NAMES, st.integers(0, 10**6), max_size=3),
    seats=st.integers(1, 50),
    max_seats=st.integers(50, 100_000),
    offline_hours=st.integers(1, 8760),
    versions=st.sampled_from(["*", "3", "3.1", "2026.8.2"]),
    public=st.booleans(),
)


@given(ENTRIES)
def test_what_is_exported_is_read_back_as_the_same_plan(entry: PlanEntry) -> None:
    plans = {"trial": entry}
    assert parse_plans(render_plans(plans), "exported") == plans


# --- in the database


def settings(tmp_path: Path, url: str, **variables: str) -> PlatformSettings:
    return read_platform_settings({"PLATFORM_STATE_DIR": str(tmp_path), "PLATFORM_DATABASE_URL": url, **variables})


def start(found: PlatformSettings) -> dict[str, PlanEntry]:
    """What the plans are after a start with these settings."""
    database = Database(found)
    try:
        prepare(database, Platform(found, SYSTEM))
        with database.snapshot() as session:
            return {plan.code: entry_of(plan) for plan in all_plans(session)}
    finally:
        database.close()


@pytest.fixture
def opened(fresh_database_url: str, tmp_path: Path) -> Iterator[tuple[Database, Platform]]:
    platform = Platform(settings(tmp_path, fresh_database_url), SYSTEM)
    database = Database(platform.settings)
    prepare(database, platform)
    yield database, platform
    database.close()


def test_the_plans_that_come_with_us_are_there_at_first(fresh_database_url: str, tmp_path: Path) -> None:
    assert list(start(settings(tmp_path, fresh_database_url))) == ["trial", "hobby", "base", "ultimate", "enterprise"]


def test_the_file_of_the_operator_is_in_force_from_the_next_start_on(fresh_database_url: str, tmp_path: Path) -> None:
    start(settings(tmp_path, fresh_database_url))
    own = tmp_path / "own.toml"
    own.write_text(TRIAL + BASE.replace("Base", "Our base"))
    found = start(settings(tmp_path, fresh_database_url, PLATFORM_PLANS_FILE=str(own)))
    assert found["base"].display == "Our base"
    assert {code for code, entry in found.items() if entry.public} == {"trial", "base"}
    assert "hobby" in found  # for those who have it
    assert start(settings(tmp_path, fresh_database_url))["base"].display == "Our base"  # not ours again


def test_applied_plans_stay_over_a_start(opened: tuple[Database, Platform]) -> None:
    database, platform = opened
    with database.transaction() as session:
        apply_plans(session, platform, parse_plans(TRIAL + BASE, "x"), "operator")
    prepare(database, platform)
    with database.snapshot() as session:
        assert find_plan(session, "base").entitlements == {"aws/community": None}


def test_older_names_go_over_to_the_plan_that_claims_them(opened: tuple[Database, Platform]) -> None:
    database, platform = opened
    with database.transaction() as session:
        assert find_plan(session, " PRO ").code == "base"
        text = TRIAL + '\n[all]\ndisplay = "All"\nentitlements = ["aws/*"]\naliases = ["pro"]\n'
        apply_plans(session, platform, parse_plans(text, "x"), "operator")
        assert find_plan(session, "pro").code == "all"
        assert find_plan(session, "starter").code == "base"


def test_a_license_follows_its_plan_at_the_next_activation(tmp_path: Path) -> None:
    platform = RunningPlatform(tmp_path)
    try:
        token = platform.bootstrap().token
        assert {one["name"] for one in platform.request_license(token).json()["products"]} >= {"aws/*"}
        text = '[trial]\ndisplay = "Trial"\nentitlements = ["aws/s3"]\noffline_hours = 2\n'
        with platform.database.transaction() as session:
            apply_plans(session, platform.platform, parse_plans(text, "x"), "operator")
        names = {one["name"] for one in platform.request_license(token).json()["products"]}
        assert "aws/s3" in names
        assert "aws/*" not in names
    finally:
        platform.close()


def test_a_server_with_a_wrong_file_says_so_and_ends(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(TRIAL + "seats = 0\n")
    with pytest.raises(RuntimeError, match=r"ended with 2") as caught:
        RunningPlatform(tmp_path, PLATFORM_PLANS_FILE=str(wrong))
    assert "line 4: trial.seats" in str(caught.value)
    assert "Traceback" not in str(caught.value)


# --- the command


@pytest.fixture
def command(tmp_path: Path) -> CommandLine:
    found = CommandLine(tmp_path)
    found.variables["PLATFORM_STATE_DIR"] = str(tmp_path / "state")
    return found


def test_the_command_shows_checks_applies_and_exports(command: CommandLine, tmp_path: Path) -> None:
    shown = command("admin", "plans")
    assert "Enterprise" in shown.out
    exported = command("admin", "plans", "export")
    own = tmp_path / "own.toml"
    own.write_text(exported.out.replace('display = "Base"', 'display = "Our base"'))
    checked = command("admin", "plans", "check", str(own))
    assert (checked.code, checked.err) == (0, "")
    assert "5 plans, no errors" in checked.out
    assert command("admin", "plans", "apply", str(own)).code == 0
    assert command("--json", "admin", "plans", "show").json["data"]["base"]["display"] == "Our base"


def test_the_command_names_the_line_of_a_mistake_and_services_that_do_not_exist(
    command: CommandLine, tmp_path: Path
) -> None:
    own = tmp_path / "own.toml"
    own.write_text(TRIAL + "seats = 0\n")
    for verb in ("check", "apply"):
        refused = command("admin", "plans", verb, str(own))
        assert refused.code == 1
        assert "line 4: trial.seats: is a number" in refused.err
    own.write_text('[trial]\ndisplay = "T"\nentitlements = ["aws/lambada", "aws/s3*", "aws/lambda"]\n')
    found = command("--json", "admin", "plans", "check", str(own))
    assert found.code == 0
    assert found.json["warnings"] == ["trial: aws/lambada is no service of AWS that botocore knows"]
