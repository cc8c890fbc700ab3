"""Signing in: the exchange with Cognito, one table row a challenge.

A sign-in is repeated as a whole when the network fails in the middle, since Cognito's sessions are
good for one answer. Success is tokens in hand, never anything less.
"""

from __future__ import annotations

import itertools
import random
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from seedctl.auth.srp import ClientExchange, format_timestamp
from seedctl.auth.tokens import Tokens
from seedctl.errors import (
    EndpointUnreachableError,
    NotAuthorizedException,
    SignInException,
    SRPError,
    ThrottledError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seedctl.auth.pool import UserPool

# Failures after which the same thing may go well: no answer came, or too much was asked at once.
TRANSIENT = (EndpointUnreachableError, ThrottledError)


def pause(attempt: int) -> float:
    """Return how many seconds to wait after the failed *attempt*, counted from 1."""
    return random.uniform(0, min(0.5 * 2**attempt, 20.0))  # noqa: S311 - jitter


@dataclass
class SignIn:
    """One user's way in. *new_password* answers NEW_PASSWORD_REQUIRED, if that may come."""

    pool: UserPool
    username: str
    password: str = field(repr=False)
    new_password: str | None = field(default=None, repr=False)
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)
    now: Callable[[], datetime] = field(default=lambda: datetime.now(timezone.utc), repr=False)
    internal_name: str = field(default="", init=False)
    """The pool's own name for the user, which every answer after the first carries."""
    exchange: ClientExchange = field(init=False, repr=False)
    new_password_sent: bool = field(default=False, init=False)

    def run(self) -> Tokens:
        """Return the user's tokens.

        Raises NotAuthorizedException and Cognito's other refusals, SignInException for a challenge
        that nothing here answers.
        """
        for attempt in itertools.count(1):
            try:
                return self._run_once()
            except TRANSIENT:
                if attempt >= self.pool.aws.max_attempts:
                    raise
                self.sleep(pause(attempt))
            except NotAuthorizedException:
                if not self.new_password_sent or self.new_password is None:
                    raise
                # The answer to the new password was lost, but Cognito had taken it.
                self.password, self.new_password = self.new_password, None
        raise AssertionError  # pragma: no cover - the loop returns or raises

    def _run_once(self) -> Tokens:
        self.exchange = ClientExchange.start()
        reply = self.pool.initiate_srp(self.username, self.exchange.srp_a)
        self.internal_name = reply.get("ChallengeParameters", {}).get("USERNAME", self.username)
        while "AuthenticationResult" not in reply:
            name = reply.get("ChallengeName", "")
            answer = CHALLENGES.get(name)
            if answer is None:
                raise SignInException(
                    f"Signing in {self.username} stopped at the challenge {name or '(none)'}; "
                    "nobody is signed in.",
                    resolution="seedctl does not answer this challenge in this sign-in flow.",
                )
            responses = answer(self, reply.get("ChallengeParameters", {}))
            reply = self.pool.respond(name, responses, reply.get("Session"))
        return Tokens.from_reply(reply["AuthenticationResult"])


def _verify_password(sign_in: SignIn, parameters: Mapping[str, Any]) -> dict[str, str]:
    try:
        user_id = parameters["USER_ID_FOR_SRP"]
        secret_block = parameters["SECRET_BLOCK"]
        salt, srp_b = parameters["SALT"], parameters["SRP_B"]
    except KeyError as error:
        raise SRPError(f"The password exchange failed: Cognito sent no {error.args[0]}.") from None
    timestamp = format_timestamp(sign_in.now())
    signature = sign_in.exchange.sign(
        pool_name=sign_in.pool.settings.user_pool_name,
        user_id=user_id,
        password=sign_in.password,
        salt=salt,
        srp_b=srp_b,
        secret_block=secret_block,
        timestamp=timestamp,
    )
    return {
        "USERNAME": user_id,
        "PASSWORD_CLAIM_SECRET_BLOCK": secret_block,
        "TIMESTAMP": timestamp,
        "PASSWORD_CLAIM_SIGNATURE": signature,
    }


def _set_new_password(sign_in: SignIn, _parameters: Mapping[str, Any]) -> dict[str, str]:
    if sign_in.new_password is None:
        raise SignInException(
            f"{sign_in.username} has only a temporary password (challenge "
            "NEW_PASSWORD_REQUIRED); nobody is signed in.",
            resolution="Create the user with create_and_sign_up_user, which sets the final "
            "password, or set one for it.",
        )
    sign_in.new_password_sent = True
    return {"NEW_PASSWORD": sign_in.new_password, "USERNAME": sign_in.internal_name}


CHALLENGES: Mapping[str, Callable[[SignIn, Mapping[str, Any]], dict[str, str]]] = {
    "PASSWORD_VERIFIER": _verify_password,
    "NEW_PASSWORD_REQUIRED": _set_new_password,
}
