"""Sign one user in: the exchange with Cognito, from the first request to the tokens.

Cognito accepts one answer for each session. So a network failure during the exchange restarts the
whole sign-in. A sign-in succeeds only with tokens.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from seedctl import errors
from seedctl.cognito.challenges import (
    CHALLENGES,
    CODE_CHALLENGES,
    PASSWORD_CHALLENGES,
    Challenge,
    SignInState,
    explain_skew,
)
from seedctl.cognito.identity import Tokens
from seedctl.cognito.mfa import code_callback
from seedctl.cognito.totp import Authenticator
from seedctl.errors.aws import TRANSIENT
from seedctl.masking import mask
from seedctl.prompter import MOST_TRIES
from seedctl.srp import ClientExchange

_Result = TypeVar("_Result")

_EXTRA_ATTEMPTS = 2

_NO_HANDLER = (
    "seedctl cannot answer this challenge in either flow: change how users sign in, in "
    "amplify/auth/resource.ts."
)


def retry(
    call: Callable[[], _Result], max_attempts: int, sleep: Callable[[float], None]
) -> _Result:
    """Return the result of *call*, which is called again, after a pause, after a transient failure.

    *max_attempts* is the limit for a single call. A sign-in makes several calls, so it is more likely
    to meet a transient failure than one call: it gets extra attempts if the service responds at all.
    A throttled call that botocore has already retried is not retried again.
    """
    for attempt in itertools.count(1):
        try:
            return call()
        except TRANSIENT as error:
            has_extra = max_attempts > 1 and not isinstance(error, errors.EndpointUnreachableError)
            limit = max_attempts + _EXTRA_ATTEMPTS if has_extra else max_attempts
            was_repeated = isinstance(error, errors.ThrottledError) and error.was_repeated
            if was_repeated or attempt >= limit:
                raise
            sleep(random.uniform(0, min(0.5 * 2**attempt, 20.0)))  # noqa: S311 - jitter
    raise AssertionError  # pragma: no cover - the loop returns or raises


class SignIn(SignInState):
    """One sign-in of one user."""

    def run(self) -> Tokens:
        """Return the user's tokens.

        Raises NotAuthorizedException and Cognito's other refusals, MFACodeUnavailableError if there
        is no source for a code, and SignInException for a challenge that seedctl cannot answer.
        """
        return retry(self._run_once, self.pool.aws.max_attempts, self.sleep)

    def _run_once(self) -> Tokens:
        try:
            return self._exchange_messages()
        except errors.NotAuthorizedException:
            if not self.new_password_sent or self.new_password is None:
                raise
            # Cognito accepted the new password, and only the response was lost.
            self.password, self.new_password = self.new_password, None
            return self._exchange_messages()

    def _exchange_messages(self) -> Tokens:
        self.exchange = ClientExchange.start()
        self.started_at = self.now().timestamp()
        self.method = None
        reply = self.pool.initiate_srp(self.user.username, self.exchange.srp_a)
        self.internal_name = reply.get("ChallengeParameters", {}).get(
            "USERNAME", self.user.username
        )
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

    def _answer(self, challenge: Challenge) -> dict[str, Any]:
        """Answer *challenge*, with several codes if need be, and return Cognito's response."""
        handler = CHALLENGES.get(challenge.name)
        if self.user.sign_in_flow == "Password" and challenge.name not in PASSWORD_CHALLENGES:
            raise errors.SignInException(
                f"Signing in {mask(self.user.username)} needs more than a password: Cognito asks for "
                f"{challenge.name or '(nothing)'}. Nobody is signed in.",
                resolution=self._flow_advice() if handler is not None else _NO_HANDLER,
            )
        if handler is None:
            raise errors.CannotSignInWithMFAError(
                f"Signing in {mask(self.user.username)} stopped at the challenge "
                f"{challenge.name or '(none)'}; nobody is signed in.",
                resolution=_NO_HANDLER,
            )
        for attempt in itertools.count(1):
            self.session = challenge.session
            answer = handler(self, replace(challenge, attempt=attempt))
            answer = {"USERNAME": self.internal_name, **answer}
            try:
                return self.pool.respond(challenge.name, answer, self.session)
            except errors.CognitoError as error:
                if attempt >= MOST_TRIES or not self._can_try_again(challenge, error):
                    self._explain(challenge, error, attempt)
                    self._raise_session_ended(challenge, error)
                    raise
        raise AssertionError  # pragma: no cover - the loop returns or raises

    def _can_try_again(self, challenge: Challenge, error: errors.CognitoError) -> bool:
        """Whether to answer *challenge* with another code after *error*."""
        if challenge.name not in CODE_CHALLENGES:
            return False
        method, _ = CODE_CHALLENGES[challenge.name]
        callback = code_callback(self.user, method)
        is_expired = error.code == "ExpiredCodeException"
        if callback is None:
            # Cognito calls a used TOTP code expired; the authenticator app will show a new one.
            is_used = challenge.name == "SOFTWARE_TOKEN_MFA" and is_expired
            return self.codes.can_repeat and (is_used or error.code == "CodeMismatchException")
        # Another run may have used the current TOTP code; an Authenticator waits for the next one.
        return is_expired and isinstance(getattr(callback, "__self__", None), Authenticator)

    def _raise_session_ended(self, challenge: Challenge, error: errors.CognitoError) -> None:
        """Raise SignInException if Cognito ended the session at a code.

        Its NotAuthorizedException would look like a wrong password to callers, which would then try
        another password.
        """
        restarts = self.new_password_sent and self.new_password is not None  # see _run_once()
        is_code = challenge.name in CODE_CHALLENGES
        if error.code == "NotAuthorizedException" and is_code and not restarts:
            raise errors.SignInException(
                f"Cognito has ended the sign-in of {mask(self.user.username)}: {error.message}",
                resolution="A code must come within three minutes, and few may be wrong. Run again.",
            ) from error

    def _explain(self, challenge: Challenge, error: errors.CognitoError, attempt: int) -> None:
        """Add to *error*'s resolution what to do about a refused code."""
        if challenge.name == "SOFTWARE_TOKEN_MFA":
            explain_skew(error, self.now())
            if error.code == "ExpiredCodeException":
                error.resolution = (
                    "Cognito accepts each code once. Authenticator.code waits for a new one."
                )
        is_refused = error.code in {"CodeMismatchException", "ExpiredCodeException"}
        if is_refused and challenge.name in CODE_CHALLENGES:
            refused = f"after {attempt} refused codes" if attempt > 1 else "as the code was refused"
            method, _ = CODE_CHALLENGES[challenge.name]
            code = "the app's next code" if method == "TOTP" else "the code that Cognito then sends"
            ended = f"The sign-in has ended {refused}. Run again, with {code}."
            error.resolution = " ".join(filter(None, [error.resolution, ended]))

    def _flow_advice(self) -> str:
        if self.pool.settings.mfa_configuration != "NONE":
            return 'Use sign_in_flow="MFA".'
        return (
            "The outputs file says that the pool has MFA off: regenerate it with seedctl outputs, "
            'and use sign_in_flow="MFA".'
        )

    def _confirm_device(self, access_token: str, metadata: dict[str, Any]) -> None:
        try:
            self.pool.confirm_device(access_token, metadata)
        except errors.SeedctlError as error:
            # Only a warning: the user is signed in.
            self.warn(
                f"The pool remembers devices, and the device of {mask(self.user.username)} could not be "
                f"confirmed: {error.message} The session may end when its tokens expire, after an "
                "hour."
            )
