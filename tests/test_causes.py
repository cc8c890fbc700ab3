"""What is shown below an error's message: each cause once, a service's own words among them."""

from __future__ import annotations

from botocore.exceptions import ClientError

from seedctl import masking
from seedctl.causes import causes
from seedctl.errors import AWSError, BulkError, SeedctlError
from seedctl.report import failure


def _refused(message: str = "Not allowed.", said: str = "Denied by a policy") -> AWSError:
    error = AWSError(message)
    error.service_code, error.service_message = "AccessDenied", said
    error.__cause__ = ClientError({"Error": {"Code": "AccessDenied", "Message": said}}, "Call")
    return error


def _shown(error: BaseException) -> list[str]:
    return [str(cause) for cause in causes(error)]


def test_the_services_words_are_a_cause() -> None:
    """What the service said is told under its code, and not again in botocore's words."""
    assert _shown(_refused()) == ["[AccessDenied] Denied by a policy"]


def test_words_that_the_message_has_are_not_told_twice() -> None:
    """A message that has the service's sentence needs no line below it."""
    assert _shown(_refused("It failed with AccessDenied: Denied by a policy.")) == []


def test_words_without_a_code() -> None:
    """A page has no code: its status stands in the words."""
    error = _refused(said="HTTP status 403")
    error.service_code = ""
    assert _shown(error) == ["HTTP status 403"]


def test_the_words_of_the_first_of_many() -> None:
    """An error for many is explained by what the service said of the first."""
    error = BulkError("1 of 2 users failed; the first: Not allowed.")
    error.__cause__ = _refused()
    assert _shown(error) == ["[AccessDenied] Denied by a policy"]


def test_exceptions_of_a_script() -> None:
    """They are told by their class and text, an empty text too, and masked."""
    masking.register("Pl4nted-one")
    error = SeedctlError("It failed: 'a'.")
    error.__cause__ = KeyError("a")  # short: it is told, although the message has the same letters
    error.__cause__.__cause__ = ValueError("Pl4nted-one\nagain")
    error.__cause__.__cause__.__cause__ = RuntimeError()
    assert _shown(error) == ["[KeyError] 'a'", "[ValueError] *** again", "[RuntimeError]"]


def test_a_sentence_that_stands_in_the_message() -> None:
    """What an operating system says is told once, in the message or below it."""
    error = SeedctlError("x cannot be read: [Errno 2] No such file or directory: 'x'")
    error.__cause__ = FileNotFoundError(2, "No such file or directory", "x")
    assert _shown(error) == []


def test_a_chain_that_bites_its_own_tail() -> None:
    """A script can make one, which must not be followed for ever."""
    error, other = SeedctlError("one"), SeedctlError("two")
    error.__cause__, other.__cause__ = other, error
    assert _shown(error) == ["[SeedctlError] two"]


def test_a_failed_row_has_the_services_words() -> None:
    """The reason of a row that failed has them too, but no exception from elsewhere."""
    error = _refused()
    assert failure("user", "ann", error).detail == (
        "AWSError: Not allowed. (caused by: [AccessDenied] Denied by a policy)"
    )
    other = SeedctlError("Not a number.")
    other.__cause__ = ValueError("some text of Python")
    assert failure("user", "ann", other).detail == "SeedctlError: Not a number."
