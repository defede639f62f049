"""Where requests to identity providers may go, and how long and large they get."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading
from pathlib import Path

import pytest

from cloudlet.control.errors import InvalidForm
from cloudlet.control.platform import PLACES, Platform
from cloudlet.control.sso import discovery, reach
from cloudlet.control.sso.discovery import checked_issuer, discover
from cloudlet.control.sso.errors import ProviderUnusable
from cloudlet.control.sso.forms import ProviderForm, checked_provider
from cloudlet.control.sso.reach import Answer, Unreachable, ask, is_allowed
from cloudlet.license.effects import SYSTEM
from cloudlet.settings import PlatformSettings, read_platform_settings
from tests.control.oidc_provider import RunningProvider

PUBLIC = {"PLATFORM_BASE_URL": "https://cloudlet.example.com"}
LOCAL = {"PLATFORM_LISTEN": "127.0.0.1:4580"}
PRIVATE = {**PUBLIC, "PLATFORM_SSO_ALLOW_PRIVATE": "1"}
DISCOVERY = "/.well-known/openid-configuration"


def settings_of(variables: dict[str, str]) -> PlatformSettings:
    return read_platform_settings(variables)


def made(folder: Path, variables: dict[str, str]) -> Platform:
    return Platform(settings_of({**variables, "PLATFORM_STATE_DIR": str(folder)}), SYSTEM)


@pytest.mark.parametrize(
    ("address", "local", "public", "private"),
    [
        ("93.184.215.14", True, True, True),
        ("2606:4700::1111", True, True, True),
        ("127.0.0.1", True, False, True),
        ("::1", True, False, True),
        ("::ffff:127.0.0.1", True, False, True),
        ("10.1.2.3", False, False, True),
        ("192.168.1.1", False, False, True),
        ("172.16.0.1", False, False, True),
        ("100.64.0.1", False, False, True),
        ("fd00::1", False, False, True),
        ("::ffff:10.0.0.1", False, False, True),
        ("169.254.169.254", False, False, False),
        ("::ffff:169.254.169.254", False, False, False),
        ("fe80::1", False, False, False),
        ("fd00:ec2::254", False, False, False),
        ("0.0.0.0", False, False, False),
        ("::", False, False, False),
        ("64:ff9b::a9fe:a9fe", False, False, False),
        ("2002:a9fe:a9fe::1", False, False, False),
    ],
)
def test_only_addresses_of_the_right_network_are_connected_to(
    address: str, local: bool, public: bool, private: bool
) -> None:
    found = ipaddress.ip_address(address)
    for variables, expected in ((LOCAL, local), (PUBLIC, public), (PRIVATE, private)):
        assert is_allowed(found, settings_of(variables)) is expected, variables


def test_public_addresses_are_reached_by_https_alone(tmp_path: Path) -> None:
    for variables in (LOCAL, PUBLIC, PRIVATE):
        with pytest.raises(Unreachable, match="must be https"):
            ask(made(tmp_path, variables), "GET", "http://93.184.215.14/")


@pytest.mark.parametrize(
    ("issuer", "words"),
    [
        ("", "Enter the issuer"),
        ("login.example.com", "no address such as"),
        ("ftp://login.example.com", "no address such as"),
        ("https://", "no address such as"),
        ("https://login.example.com:0", "no address such as"),
        ("https://login.example.com:99999", "no address such as"),
        ("https://[::1", "no address such as"),
        ("https://login.example.com/a b", "no blanks"),
        ("https://login.example.com/" + "a" * 500, "500 characters"),
        ("https://user@login.example.com", "neither user nor"),
        ("https://login.example.com?tenant=1", "neither user nor"),
        ("https://login.example.com#x", "neither user nor"),
        ("http://login.example.com", "Use https"),
        ("https://localhost", "private network"),
        ("https://127.1", "private network"),
        ("https://0x7f000001", "private network"),
        ("https://169.254.169.254", "private network"),
        ("https://keycloak.internal", "private network"),
    ],
)
def test_what_is_no_issuer_is_said_to_be_none(issuer: str, words: str) -> None:
    with pytest.raises(ProviderUnusable, match=words):
        checked_issuer(issuer, settings_of(PUBLIC))


def test_an_issuer_is_kept_to_the_letter_and_found_in_its_discovery_address() -> None:
    for text in ("https://login.example.com/realms/Acme/", " https://login.example.com/realms/Acme/ "):
        assert checked_issuer(text, settings_of(PUBLIC)) == "https://login.example.com/realms/Acme/"
    assert checked_issuer("https://login.example.com" + DISCOVERY, settings_of(PUBLIC)) == "https://login.example.com"
    assert checked_issuer("http://keycloak.internal", settings_of(PRIVATE)) == "http://keycloak.internal"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": " "}, "a name"),
        ({"name": "x" * 81}, "a name"),
        ({"client_id": ""}, "client ID"),
        ({"client_id": "a\x00b"}, "client ID"),
        ({"client_id": "клиент"}, "client ID"),
        ({"client_secret": "x" * 1001}, "no client secret"),
        ({"client_secret": "密码"}, "no client secret"),
        ({"scopes": "email"}, "openid"),
        ({"scopes": 'openid "x"'}, "Scopes are words"),
        ({"domains": ()}, "Enter the domains"),
        ({"domains": ("example",)}, "is no domain"),
        ({"domains": ("*.example.com",)}, "is no domain"),
        ({"domains": ("exa%mple.com",)}, "is no domain"),
        ({"domains": tuple(f"d{number}.example.com" for number in range(21))}, "20 domains"),
    ],
)
def test_what_an_admin_mistypes_is_said(changes: dict[str, object], words: str) -> None:
    fields: dict[str, object] = {
        "name": "Okta",
        "issuer": "https://login.example.com",
        "client_id": "client",
        "client_secret": "",
        "scopes": "",
        "domains": (" @Example.COM ", "example.com", ""),
        "role": "member",
        "permissions": None,
    }
    good = checked_provider(ProviderForm(**fields), settings_of(PUBLIC))  # type: ignore[arg-type]
    assert (good.scopes, good.domains) == ("openid email profile", ("example.com",))
    with pytest.raises(InvalidForm, match=words):
        checked_provider(ProviderForm(**{**fields, **changes}), settings_of(PUBLIC))  # type: ignore[arg-type]


def test_a_control_plane_for_others_does_not_reach_this_machine(tmp_path: Path, provider: RunningProvider) -> None:
    provider.set()
    with pytest.raises(Unreachable, match="private network"):
        ask(made(tmp_path, PUBLIC), "GET", provider.url + DISCOVERY)
    assert ask(made(tmp_path, PRIVATE), "GET", provider.url + DISCOVERY).body["issuer"] == provider.url
    assert ask(made(tmp_path, LOCAL), "GET", provider.url + DISCOVERY).body["issuer"] == provider.url


def test_a_name_is_judged_by_every_address_that_it_has(
    tmp_path: Path, provider: RunningProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One public address beside an inner one helps nobody, nor does a name that means something else the next time."""
    answers = iter([["93.184.215.14", "10.0.0.1"], ["169.254.169.254"], []])
    monkeypatch.setattr(reach, "resolve", lambda _host, _port: next(answers))
    for words in ("10.0.0.1", "169.254.169.254", "cannot be resolved"):
        with pytest.raises(Unreachable, match=words):
            ask(made(tmp_path, PUBLIC), "GET", "https://login.example.com" + DISCOVERY)


def test_slow_answers_are_not_waited_for(
    tmp_path: Path, provider: RunningProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of a provider that sends a byte now and then, which no time limit of a read would end."""
    provider.set(trouble="slow", trouble_at=DISCOVERY)
    monkeypatch.setattr(reach, "LIMIT_SECONDS", 0.4)
    with pytest.raises(ProviderUnusable, match="no answer within"):
        discover(made(tmp_path, LOCAL), provider.url)


def test_slow_heads_of_answers_are_not_waited_for_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "LIMIT_SECONDS", 0.4)
    is_over = threading.Event()

    def trickle(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not is_over.wait(0.02):
                connection.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=trickle, args=(listener,), daemon=True)
        thread.start()
        with pytest.raises(Unreachable, match="no answer within"):
            ask(made(tmp_path, LOCAL), "GET", f"http://127.0.0.1:{listener.getsockname()[1]}/")
        is_over.set()
        thread.join(60)


def test_slow_providers_never_take_all_threads(
    tmp_path: Path, provider: RunningProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.set()
    platform = made(tmp_path, LOCAL)
    monkeypatch.setattr(reach, "PATIENCE_SECONDS", 0.01)
    for _ in range(PLACES):
        assert platform.waiting.acquire(blocking=False)
    with pytest.raises(Unreachable, match="try again in a moment"):
        ask(platform, "GET", provider.url + DISCOVERY)
    platform.waiting.release()
    for _ in range(3):
        assert ask(platform, "GET", provider.url + DISCOVERY).status == 200
    with pytest.raises(Unreachable):
        ask(platform, "GET", "http://127.0.0.1:1/")
    assert platform.waiting.acquire(blocking=False)


@pytest.mark.parametrize("name", ["xn--a", "xn--zzzzzzzz--"])
def test_a_name_that_only_looks_encoded_is_not_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(reach, "resolve", lambda _host, _port: [])
    with pytest.raises(ProviderUnusable, match=f"the name {name} cannot be resolved"):
        discover(made(tmp_path, PUBLIC), checked_issuer(f"https://{name}", settings_of(PUBLIC)))


@pytest.mark.parametrize("url", ["file:///etc/passwd", "gopher://127.0.0.1/", "http://", "https:///path"])
def test_only_http_is_spoken(tmp_path: Path, url: str) -> None:
    with pytest.raises(Unreachable, match="no address"):
        ask(made(tmp_path, PRIVATE), "GET", url)


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"])
def test_a_provider_by_https_has_all_of_its_addresses_by_https(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    base = "https://login.example.com"
    names = ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint")
    document = {"issuer": base, **{key: f"{base}/{key}" for key in names}}
    monkeypatch.setattr(discovery, "ask", lambda *_: Answer(200, document))
    platform = made(tmp_path, PUBLIC)
    assert discover(platform, base).jwks_uri == f"{base}/jwks_uri"
    document[name] = "http://login.example.com/x"
    with pytest.raises(ProviderUnusable, match=f"{name} is not https"):
        discover(platform, base)
