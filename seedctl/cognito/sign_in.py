"""Signing in: the exchange with Cognito, from the first request to tokens.

A sign-in is repeated as a whole when the network fails in the middle, since Cognito's sessions are
good for one answer. Success is tokens in hand, never anything less.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from typing import Any

from seedctl import masking
from seedctl.cognito.challenges import (
    CHALLENGES,
    CODE_CHALLENGES,
    PASSWORD_CHALLENGES,
    explain_skew,
)
from seedctl.cognito.devices import confirm_device
from seedctl.cognito.sign_in_state import Challenge, SignInState
from seedctl.cognito.tokens import Tokens
from seedctl.cognito.totp import Authenticator
from seedctl.errors import (
    CannotSignInWithMFAError,
    CognitoError,
    EndpointUnreachableError,
    NotAuthorizedException,
    SeedctlError,
    ServiceFailedError,
    SignInException,
    ThrottledError,
)
from seedctl.masking import mask
from seedctl.prompter import MOST_TRIES
from seedctl.srp import ClientExchange

# Failures after which the same thing may go well: no answer came, or too much was asked at once.
TRANSIENT = (EndpointUnreachableError, ServiceFailedError, ThrottledError)

_MORE_IF_ANSWERED = 2


def is_last(attempt: int, most: int, error: Exception) -> bool:
    """Whether *attempt*, which ended with *error*, is not to be followed by another.

    *most* is how often one call is made. A sign-in, and a call that is made once at a time, meet the
    bad moments of several: of a service that does answer, more are waited out. What was refused for
    its rate again and again has waited long enough.
    """
    if isinstance(error, ThrottledError) and error.was_repeated:
        return True
    if most > 1 and not isinstance(error, EndpointUnreachableError):
        most += _MORE_IF_ANSWERED
    return attempt >= most


def pause(attempt: int) -> float:
    """Return how many seconds to wait after the failed *attempt*, counted from 1."""
    return random.uniform(0, min(0.5 * 2**attempt, 20.0))  # noqa: S311 - jitter


_NO_ANSWER = (
    "seedctl has no answer to this challenge, in neither flow: change how users sign in, in "
    "amplify/auth/resource.ts."
)


class SignIn(SignInState):
    """One user's way in, driven from the first request to tokens."""

    def run(self) -> Tokens:
        """Return the user's tokens.

        Raises NotAuthorizedException and Cognito's other refusals, MFACodeUnavailableError where no
        code can be had, SignInException for a challenge that nothing here answers.
        """
        for attempt in itertools.count(1):
            try:
                return self._run_once()
            except TRANSIENT as error:
                if is_last(attempt, self.pool.aws.max_attempts, error):
                    raise
                self.sleep(pause(attempt))
            except NotAuthorizedException:
                if not self.new_password_sent or self.new_password is None:
                    raise
                # The answer to the new password was lost, but Cognito had taken it.
                self.password, self.new_password = self.new_password, None
        raise AssertionError  # pragma: no cover - the loop returns or raises

    def _can_try_again(self, challenge: Challenge, error: CognitoError) -> bool:
        """Whether another code may do after *error*."""
        row = CODE_CHALLENGES.get(challenge.name)
        if row is None:
            return False
        callback = self.callbacks.for_code(row[0])
        if callback is None:
            # A TOTP code that was used already is expired to Cognito; the app has the next one.
            is_used = (
                challenge.name == "SOFTWARE_TOKEN_MFA" and error.code == "ExpiredCodeException"
            )
            return self.codes.can_repeat and (is_used or error.code == "CodeMismatchException")
        # Another run may have used this half minute's code: an authenticator has the next one.
        is_own = isinstance(getattr(callback, "__self__", None), Authenticator)
        return is_own and error.code == "ExpiredCodeException"

    def _flow_advice(self) -> str:
        if self.pool.settings.mfa_configuration != "NONE":
            return 'Use sign_in_flow="MFA".'
        return (
            "The outputs file says that the pool has MFA off: regenerate it with npx ampx sandbox, "
            'and use sign_in_flow="MFA".'
        )

    def _explain(self, challenge: Challenge, error: CognitoError, attempt: int) -> None:
        """Say in *error*'s resolution what comes after a code that was refused for good."""
        if challenge.name == "SOFTWARE_TOKEN_MFA":
            explain_skew(error, self.now())
            if error.code == "ExpiredCodeException":
                error.resolution = "A code is good once. Authenticator.code waits for a new one."
        is_refused = error.code in {"CodeMismatchException", "ExpiredCodeException"}
        if is_refused and challenge.name in CODE_CHALLENGES:
            after = self._after_codes(challenge, attempt)
            error.resolution = " ".join(filter(None, [error.resolution, after]))

    @staticmethod
    def _after_codes(challenge: Challenge, attempt: int) -> str:
        refused = f"after {attempt} refused codes" if attempt > 1 else "as the code was refused"
        method = CODE_CHALLENGES[challenge.name][0]
        how = "the app's next code" if method == "TOTP" else "the code that Cognito then sends"
        return f"The sign-in has ended {refused}. Run again, with {how}."

    def _run_once(self) -> Tokens:
        self.exchange = ClientExchange.start()
        self.began = self.now().timestamp()
        self.method = None
        reply = self.pool.initiate_srp(self.username, self.exchange.srp_a)
        self.internal_name = reply.get("ChallengeParameters", {}).get("USERNAME", self.username)
        while "AuthenticationResult" not in reply:
            parameters = reply.get("ChallengeParameters", {})
            reply = self._answer(
                Challenge(reply.get("ChallengeName", ""), parameters, reply.get("Session"))
            )
        result = reply["AuthenticationResult"]
        tokens = Tokens.from_reply(result)
        if tokens.device_key is not None:
            self._confirm_device(tokens.access, result["NewDeviceMetadata"])
        return tokens

    def _confirm_device(self, access_token: str, metadata: dict[str, Any]) -> None:
        try:
            confirm_device(self.pool, access_token, metadata)
        except SeedctlError as error:
            # The user is signed in all the same.
            self.warn(
                f"The pool remembers devices, and the one {masking.mask(self.username)} signed in from could not "
                f"be confirmed: {error.message} The session may end with its tokens, in an hour."
            )

    def _answer(self, challenge: Challenge) -> dict[str, Any]:
        answer = CHALLENGES.get(challenge.name)
        if self.flow == "Password" and challenge.name not in PASSWORD_CHALLENGES:
            raise SignInException(
                f"Signing in {mask(self.username)} needs more than a password: Cognito asks for "
                f"{challenge.name or '(nothing)'}. Nobody is signed in.",
                resolution=self._flow_advice() if answer is not None else _NO_ANSWER,
            )
        if answer is None:
            raise CannotSignInWithMFAError(
                f"Signing in {mask(self.username)} stopped at the challenge "
                f"{challenge.name or '(none)'}; nobody is signed in.",
                resolution=_NO_ANSWER,
            )
        for attempt in itertools.count(1):
            response = answer(self, replace(challenge, attempt=attempt))
            session = response.session or challenge.session
            try:
                return self.pool.respond(challenge.name, response.answers, session)
            except CognitoError as error:
                if attempt >= MOST_TRIES or not self._can_try_again(challenge, error):
                    self._explain(challenge, error, attempt)
                    begins_anew = self.new_password_sent and self.new_password is not None
                    if (
                        error.code == "NotAuthorizedException"
                        and challenge.name in CODE_CHALLENGES
                        and not begins_anew
                    ):
                        # Not about the password, which was right: nobody may go on to try another.
                        raise SignInException(
                            f"Cognito has ended the sign-in of {mask(self.username)}: "
                            f"{error.message}",
                            resolution="A code must come within three minutes, and few may be "
                            "wrong. Run again.",
                        ) from error
                    raise
        raise AssertionError  # pragma: no cover - the loop returns or raises
