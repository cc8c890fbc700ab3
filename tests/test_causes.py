"""The causes shown below an error's message: each one once, with the service's own message."""

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


def test_the_services_message_is_a_cause() -> None:
    """The service's message is shown with its error code, and not again in botocore's words."""
    assert _shown(_refused()) == ["[AccessDenied] Denied by a policy"]


def test_a_message_is_not_repeated() -> None:
    """If the error's message contains the service's sentence, it is not repeated below."""
    assert _shown(_refused("It failed with AccessDenied: Denied by a policy.")) == []


def test_a_message_of_several_lines_is_not_its_own_cause() -> None:
    """Causes are shown on one line, so the error's message is compared as one line too."""
    assert _shown(SeedctlError("The lines of the file differ:\n  first\n  second")) == []


def test_a_service_message_without_a_code() -> None:
    """An HTML error page has no error code: its HTTP status is in the text."""
    error = _refused(said="HTTP status 403")
    error.service_code = ""
    assert _shown(error) == ["HTTP status 403"]


def test_the_service_message_for_the_first_of_many() -> None:
    """An error about many items shows the service's message for the first failed one."""
    error = BulkError("1 of 2 users failed; the first: Not allowed.")
    error.__cause__ = _refused()
    assert _shown(error) == ["[AccessDenied] Denied by a policy"]


def test_exceptions_of_a_script() -> None:
    """Exceptions of a script appear with their class and masked text, even if the text is empty."""
    masking.register("Pl4nted-one")
    error = SeedctlError("It failed: 'a'.")
    # A short text is shown, although the message contains it by chance.
    error.__cause__ = KeyError("a")
    error.__cause__.__cause__ = ValueError("Pl4nted-one\nagain")
    error.__cause__.__cause__.__cause__ = RuntimeError()
    assert _shown(error) == ["[KeyError] 'a'", "[ValueError] *** again", "[RuntimeError]"]


def test_a_secret_with_line_breaks_and_spaces() -> None:
    """It is masked before the text is put on one line, where it would not be found."""
    masking.register("Pl4nted\nand  more")
    error = SeedctlError("It failed.")
    error.__cause__ = ValueError("x Pl4nted\nand  more")
    error.__cause__.__cause__ = SeedctlError("No user Pl4nted\nand  more.")
    assert _shown(error) == ["[ValueError] x ***", "[SeedctlError] No user ***."]


def test_a_sentence_that_the_message_contains() -> None:
    """An operating system's message is shown once, in the error's message or below it."""
    error = SeedctlError("x cannot be read: [Errno 2] No such file or directory: 'x'")
    error.__cause__ = FileNotFoundError(2, "No such file or directory", "x")
    assert _shown(error) == []


def test_an_exception_that_an_error_explains() -> None:
    """The error says what seedctl's own exception and botocore's mean; --debug shows them."""
    error = SeedctlError("It failed.")
    for module in ("seedctl.project.root", "botocore.exceptions"):
        error.__cause__ = type("Inner", (Exception,), {"__module__": module})("a detail")
        assert _shown(error) == []


def test_a_circle_of_causes() -> None:
    """Causes that form a circle do not lead to an endless loop."""
    error, other = SeedctlError("one"), SeedctlError("two")
    error.__cause__, other.__cause__ = other, error
    assert _shown(error) == ["[SeedctlError] two"]


def test_a_failed_row_has_the_services_message() -> None:
    """A failed row's reason has the service's message, but no other package's exception."""
    error = _refused()
    assert failure("user", "ann", error).detail == (
        "AWSError: Not allowed. (caused by: [AccessDenied] Denied by a policy)"
    )
    other = SeedctlError("Not a number.")
    other.__cause__ = ValueError("some text of Python")
    assert failure("user", "ann", other).detail == "SeedctlError: Not a number."
