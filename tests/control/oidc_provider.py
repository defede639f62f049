"""A small identity provider of the tests' own, in a process of its own: OpenID Connect with everything that can go wrong.

    python -m tests.control.oidc_provider PORT

Consents by itself. `POST /switches` sets who signs in and what is wrong with the answer; see `Switches`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import httpx
import msgspec
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from tests.conftest import ROOT, free_port

CLIENT_ID = "cloudlet-web"
SECRET = "s3cret & with=signs"


class Switches(msgspec.Struct, kw_only=True):
    """`wrong`: nonce, aud, iss, expired, future, signature, unsigned, hmac, azp, no_azp, no_nonce, no_id_token, at_hash,
    subject, kid, embedded_key, userinfo.

    `leave_out`: what the discovery document lacks. `userinfo_only`: what of the person the ID token does not tell,
    `userinfo_lacks`: what the user info does not.
    `trouble`: redirect, huge, slow, text, no_keys, with every answer of the path `trouble_at`.
    """

    subject: str = "subject-1"
    email: str = "grace@example.com"
    email_verified: Any = True
    name: str = "Grace Hopper"
    wrong: str = ""
    deny: str = ""
    deny_words: str = ""
    issuer: str = ""
    leave_out: str = ""
    discovery_status: int = 200
    edov: Any = None
    trouble: str = ""
    trouble_at: str = ""
    auth_methods: list[str] = []
    userinfo_only: list[str] = []
    userinfo_lacks: list[str] = []
    tells_issuer: str = ""
    rotate: bool = False


class Codes:
    """What the authorization endpoint promised, by code; used once."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.found: dict[str, dict[str, str]] = {}
        self.tokens: dict[str, Switches] = {}
        self.switches = Switches()
        self.key = RSAKey.generate_key(2048, {"kid": "first"})
        self.stranger = RSAKey.generate_key(2048, {"kid": "first"})


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def codes(self) -> Codes:
        return cast(Codes, self.server.codes)  # type: ignore[attr-defined]

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{cast(ThreadingHTTPServer, self.server).server_port}"

    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        given = {name: values[0] for name, values in query.items()}
        if self.codes.switches.trouble and path == self.codes.switches.trouble_at:
            self.make_trouble(self.codes.switches.trouble)
        elif path == "/.well-known/openid-configuration":
            self.answer(self.codes.switches.discovery_status, self.document())
        elif path == "/keys":
            self.answer(200, {"keys": self.keys()})
        elif path == "/authorize":
            self.authorize(given)
        elif path == "/userinfo":
            self.userinfo()
        else:
            self.answer(404, {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/switches":
            codes = self.codes
            codes.switches = msgspec.json.decode(body, type=Switches)
            if codes.switches.rotate:
                codes.key = RSAKey.generate_key(2048, {"kid": f"key-{time.monotonic_ns()}"})
            self.answer(200, {})
        elif self.codes.switches.trouble and self.path == self.codes.switches.trouble_at:
            self.make_trouble(self.codes.switches.trouble)
        elif self.path == "/token":
            form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            self.answer(*self.token(form))
        else:
            self.answer(404, {})

    def make_trouble(self, trouble: str) -> None:
        """An answer that nobody should wait for, follow or keep."""
        if trouble == "redirect":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/latest/meta-data/")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif trouble == "no_keys":
            self.answer(200, {"keys": [{"kty": "oct", "k": "c2VjcmV0"}, {"kty": "RSA", "n": "!", "e": "AQAB"}, "text"]})
        elif trouble == "text":
            self.send_response(200)
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"hello")
        else:
            self.send_response(200)
            self.end_headers()
            self.close_connection = True
            piece = b" " * (1 if trouble == "slow" else 65536)
            try:
                while True:
                    self.wfile.write(piece)
                    time.sleep(0.02 if trouble == "slow" else 0)
            except OSError:
                pass  # the other side has had enough

    def keys(self) -> list[dict[str, Any]]:
        """Ours among others, as real providers have them: for encryption, and of a kind from the future."""
        return [
            {"kty": "EC", "crv": "P-9999", "x": "AA", "y": "AA", "kid": "future"},
            {**self.codes.stranger.as_dict(private=False), "kid": "enc", "use": "enc", "alg": "RSA-OAEP"},
            {**self.codes.key.as_dict(private=False), "use": "sig", "alg": "RS256"},
        ]

    def document(self) -> dict[str, Any]:
        switches = self.codes.switches
        found: dict[str, Any] = {
            "issuer": switches.issuer or self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "token_endpoint_auth_methods_supported": switches.auth_methods or ["client_secret_basic"],
        }
        if switches.tells_issuer:
            found["authorization_response_iss_parameter_supported"] = True
        found.pop(switches.leave_out, None)
        return found

    def authorize(self, given: dict[str, str]) -> None:
        """Everything that we must send is required here."""
        switches = self.codes.switches
        fits = (
            given.get("client_id") == CLIENT_ID
            and given.get("response_type") == "code"
            and "openid" in given.get("scope", "").split()
            and given.get("code_challenge_method") == "S256"
            and len(given.get("code_challenge", "")) == 43
            and given.get("state")
            and given.get("nonce")
        )
        if not fits:
            self.answer(400, {"error": "invalid_request"})
            return
        if switches.deny:
            back = {"error": switches.deny, "error_description": switches.deny_words, "state": given["state"]}
        else:
            code = os.urandom(12).hex()
            with self.codes.lock:
                self.codes.found[code] = given
            back = {"code": code, "state": given["state"]}
        if switches.tells_issuer:
            back["iss"] = self.issuer if switches.tells_issuer == "right" else switches.tells_issuer
        self.send_response(302)
        self.send_header("Location", f"{given['redirect_uri']}?{urlencode(back)}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def token(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        with self.codes.lock:
            asked = self.codes.found.pop(form.get("code", ""), None)
        if not self.is_client(form):
            return 401, {"error": "invalid_client"}
        verifier = form.get("code_verifier", "")
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        if (
            asked is None
            or asked["code_challenge"] != challenge
            or asked["redirect_uri"] != form.get("redirect_uri")
            or form.get("grant_type") != "authorization_code"
        ):
            return 400, {"error": "invalid_grant"}
        access_token = os.urandom(12).hex()
        self.codes.tokens[access_token] = self.codes.switches
        answer = {"access_token": access_token, "token_type": "Bearer", "expires_in": 60}
        if self.codes.switches.wrong != "no_id_token":
            answer["id_token"] = self.id_token(asked["nonce"], access_token)
        return 200, answer

    def is_client(self, form: dict[str, str]) -> bool:
        methods = self.codes.switches.auth_methods or ["client_secret_basic"]
        header = self.headers.get("Authorization", "")
        if "client_secret_basic" in methods and header.startswith("Basic "):
            user, _, secret = base64.b64decode(header[6:]).decode().partition(":")
            return (unquote(user), unquote(secret)) == (CLIENT_ID, SECRET) or (user, secret) == (CLIENT_ID, SECRET)
        return "client_secret_post" in methods and (form.get("client_id"), form.get("client_secret")) == (
            CLIENT_ID,
            SECRET,
        )

    def id_token(self, nonce: str, access_token: str) -> str:
        switches, now = self.codes.switches, int(time.time())
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "sub": switches.subject,
            "aud": CLIENT_ID,
            "exp": now + 300,
            "iat": now,
            "nonce": nonce,
            **{name: value for name, value in self.person(switches).items() if name not in switches.userinfo_only},
        }
        changes: dict[str, dict[str, Any]] = {
            "nonce": {"nonce": "another"},
            "aud": {"aud": "somebody-else"},
            "iss": {"iss": "https://elsewhere.example.com"},
            "expired": {"exp": now - 3600},
            "future": {"iat": now + 3600, "nbf": now + 3600},
            "azp": {"aud": [CLIENT_ID, "somebody-else"], "azp": "somebody-else"},
            "no_azp": {"aud": [CLIENT_ID, "somebody-else"]},
            "at_hash": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
            "subject": {"sub": ""},
        }
        claims |= changes.get(switches.wrong, {})
        if switches.wrong == "no_nonce":
            del claims["nonce"]
        if switches.wrong == "unsigned":
            return ".".join((piece({"alg": "none"}), piece(claims), ""))
        if switches.wrong == "hmac":
            return jwt.encode({"alg": "HS256", "kid": "first"}, claims, OctKey.import_key(SECRET))
        header: dict[str, Any] = {"alg": "RS256", "kid": self.codes.key.kid}
        if switches.wrong == "kid":
            header["kid"] = "another"
        if switches.wrong == "embedded_key":
            header["jwk"] = self.codes.stranger.as_dict(private=False)
        is_strangers = switches.wrong in {"signature", "embedded_key"}
        return jwt.encode(header, claims, self.codes.stranger if is_strangers else self.codes.key)

    def person(self, switches: Switches) -> dict[str, Any]:
        told = {
            "email": switches.email,
            "email_verified": switches.email_verified,
            "name": switches.name,
            "xms_edov": switches.edov,
        }
        return {name: value for name, value in told.items() if value is not None}

    def userinfo(self) -> None:
        switches = self.codes.tokens.get(self.headers.get("Authorization", "").removeprefix("Bearer "))
        if switches is None:
            self.answer(401, {"error": "invalid_token"})
            return
        subject = "another" if switches.wrong == "userinfo" else switches.subject
        told = {name: value for name, value in self.person(switches).items() if name not in switches.userinfo_lacks}
        self.answer(200, {"sub": subject, **told})

    def answer(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_arguments: object) -> None:
        pass


def piece(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


class RunningProvider:
    """The process. `set` switches it; what is not named goes back to how it was."""

    def __init__(self) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen([sys.executable, "-m", "tests.control.oidc_provider", str(port)], cwd=ROOT)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            assert self.process.poll() is None, "the provider ended"
            try:
                httpx.get(f"{self.url}/keys")
                return
            except httpx.TransportError:
                time.sleep(0.05)
        raise RuntimeError("the provider did not answer")

    def set(self, **switches: Any) -> None:
        httpx.post(f"{self.url}/switches", json=switches).raise_for_status()

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=20)


def main(port: int) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    server.codes = Codes()  # type: ignore[attr-defined]
    server.serve_forever(0.05)


if __name__ == "__main__":
    main(int(sys.argv[1]))
