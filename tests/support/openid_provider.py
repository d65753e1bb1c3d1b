"""A small OpenID provider, real on the wire: discovery, login form, codes with PKCE, RS256 tokens with nonce, logout.

Run as a process: `python -m tests.support.openid_provider PORT TOLD.json`. TOLD.json holds client_id, client_secret,
redirect_uri, token_seconds and users: each user's name with the claims of its id token. A user's password is its name
backwards. `POST /rotate` makes a new signing key without publishing it, as an impostor would sign.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import secrets
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

FORM = """<!doctype html><html lang="en"><title>Test provider</title><main><h1>Log in at the test provider</h1>
<form method="post"><label>User <input name="user"></label>
<label>Password <input name="password" type="password"></label>
<button>Continue</button></form><p>{said}</p></main></html>"""


class Provider:
    """One provider: its client, its users, its signing key and the codes it has given out."""

    def __init__(self, issuer: str, told: dict[str, Any]) -> None:
        self.issuer, self.told = issuer, told
        self.published = self.signing = RSAKey.generate_key(2048, parameters={"kid": "first", "use": "sig"})
        self.codes: dict[str, dict[str, Any]] = {}

    def app(self) -> Starlette:
        """The provider as a server."""
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self.discovery),
                Route("/authorize", self.authorize, methods=["GET", "POST"]),
                Route("/token", self.token, methods=["POST"]),
                Route("/jwks", self.jwks),
                Route("/end", self.end),
                Route("/rotate", self.rotate, methods=["POST"]),
            ]
        )

    async def discovery(self, _: Request) -> Response:
        """The provider's description of itself."""
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/jwks",
                "end_session_endpoint": f"{self.issuer}/end",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
                "scopes_supported": ["openid", "email", "profile"],
            }
        )

    async def authorize(self, request: Request) -> Response:
        """The login form; a right password leads back to the client with a code."""
        asked = request.query_params
        if asked.get("client_id") != self.told["client_id"] or asked.get("redirect_uri") != self.told["redirect_uri"]:
            return HTMLResponse("unknown client", status_code=400)
        problems = [
            asked.get("response_type") != "code",
            "openid" not in asked.get("scope", "").split(),
            asked.get("code_challenge_method") != "S256" or not asked.get("code_challenge"),
            not asked.get("state") or not asked.get("nonce"),
        ]
        if any(problems):
            return HTMLResponse(f"bad request: {problems}", status_code=400)
        if request.method == "GET":
            return HTMLResponse(FORM.format(said=""))
        form = await request.form()
        user, password = str(form.get("user")), str(form.get("password"))
        if user not in self.told["users"] or password != user[::-1]:
            return HTMLResponse(FORM.format(said=f"No such user or password: {html.escape(user)}"), status_code=401)
        code = secrets.token_urlsafe(32)
        self.codes[code] = {"user": user, "until": time.time() + 60, **dict(asked)}
        back = urlencode({"code": code, "state": asked["state"]})
        return RedirectResponse(f"{self.told['redirect_uri']}?{back}", status_code=303)

    async def token(self, request: Request) -> Response:
        """An id token for a code that was given out, once, to the client that proves itself and its challenge."""
        form = await request.form()
        client, secret = str(form.get("client_id")), str(form.get("client_secret"))
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            client, _, secret = base64.b64decode(encoded).decode().partition(":")
        if (client, secret) != (self.told["client_id"], self.told["client_secret"]):
            return JSONResponse({"error": "invalid_client"}, status_code=401)
        given = self.codes.pop(str(form.get("code")), None)
        challenge = hashlib.sha256(str(form.get("code_verifier")).encode()).digest()
        if (
            given is None
            or given["until"] < time.time()
            or form.get("grant_type") != "authorization_code"
            or form.get("redirect_uri") != given["redirect_uri"]
            or base64.urlsafe_b64encode(challenge).rstrip(b"=").decode() != given["code_challenge"]
        ):
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": client,
            "iat": now,
            "exp": now + int(self.told["token_seconds"]),
            "nonce": given["nonce"],
            **self.told["users"][given["user"]],
        }
        token = jwt.encode({"alg": "RS256", "kid": "first"}, claims, self.signing)
        return JSONResponse(
            {
                "access_token": secrets.token_urlsafe(24),
                "token_type": "Bearer",
                "expires_in": self.told["token_seconds"],
                "id_token": token,
            }
        )

    async def jwks(self, _: Request) -> Response:
        """The public key that tokens are checked with."""
        return JSONResponse({"keys": [self.published.as_dict(private=False)]})

    async def end(self, request: Request) -> Response:
        """The logout at the provider; leads back where the client asked, if that is the client's own address."""
        back = request.query_params.get("post_logout_redirect_uri")
        if back != self.told["redirect_uri"] or not request.query_params.get("id_token_hint"):
            return HTMLResponse("unknown client", status_code=400)
        return RedirectResponse(back, status_code=302)

    async def rotate(self, _: Request) -> Response:
        """From now on tokens are signed with a key that is not published."""
        self.signing = RSAKey.generate_key(2048, parameters={"kid": "first", "use": "sig"})
        return Response(status_code=204)


def main() -> None:
    """Serve until ended."""
    port, told = int(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    provider = Provider(f"http://127.0.0.1:{port}", told)
    uvicorn.run(provider.app(), host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main()
