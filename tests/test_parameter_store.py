"""Secrets in Parameter Store: the same calls as ampx, and the checks before them."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest

from seedctl.errors import (
    AccessDeniedError,
    AWSError,
    BackendIdConversionFault,
    InvalidResponseError,
    InvalidSecretNameError,
    InvalidSecretValueError,
    SecretError,
    SSMCredentialsError,
    SSMParameterNotFoundError,
)
from seedctl.masking import mask
from seedctl.parameter_store import (
    Secret,
    Secrets,
    StoredSecret,
    check_name,
    check_value,
    decode,
)
from seedctl.project import BackendIdentifier
from seedctl.report import Event, Report
from tests.aws.recorder import Call, Recorder

if TYPE_CHECKING:
    from collections.abc import Callable

PREFIX = "/amplify/acmemyapp/alice-sandbox-640dd81907"
CHANGED = datetime(2026, 1, 1, tzinfo=timezone.utc)

GOOD_NAMES = ["username", "A", "a.b-c_D9", "..", "-", "x" * 500]
BAD_NAMES = ["", " ", "a b", "a/b", "/a", "a:1", "a\n", "é", "a,b", "${x}", "a@b"]


class SecretsHarness:
    """Secrets over a recorder, with the reported events and announcements."""

    def __init__(
        self,
        *replies: dict[str, Any] | Exception,
        is_local: bool = False,
        namespace: str = "@acme/my-app",
    ) -> None:
        self.aws = Recorder(*replies, is_local=is_local)
        self.report = Report()
        self.calls_at_target: list[int] = []
        self.secrets = Secrets(
            self.aws,
            BackendIdentifier(namespace, "alice"),
            self.report,
            lambda: self.calls_at_target.append(len(self.aws.calls)),
        )


def _parameter(**changed: Any) -> dict[str, Any]:
    parameter = {"Value": "s3cret", "Version": 3, "LastModifiedDate": CHANGED, **changed}
    return {"Parameter": parameter}


def _page(*names: str, token: str | None = None) -> dict[str, Any]:
    page: dict[str, Any] = {"Parameters": [{"Name": f"{PREFIX}/{name}"} for name in names]}
    return {**page, "NextToken": token} if token else page


def _not_found() -> AWSError:
    return AWSError("no", service="ssm", operation="o", code="ParameterNotFound", request_id="r")


# --- the calls -----------------------------------------------------------------------------------


def test_get() -> None:
    """A secret is read decrypted from ampx's path."""
    harness = SecretsHarness(_parameter())
    assert harness.secrets.get("username") == "s3cret"
    assert harness.aws.calls == [
        Call("ssm", "GetParameter", {"Name": f"{PREFIX}/username", "WithDecryption": True})
    ]
    assert harness.report.events == [Event("secret", "username", "read")]
    assert harness.calls_at_target == []


def test_read() -> None:
    """read() returns version and time of the last change too; the repr does not contain the value."""
    secret = SecretsHarness(_parameter()).secrets.read("username")
    assert secret == Secret("username", "s3cret", 3, CHANGED)
    assert "s3cret" not in repr(secret)


def test_nothing_is_cached() -> None:
    """Nothing is cached: a changed secret is read again."""
    harness = SecretsHarness(_parameter(), _parameter(Value="changed"))
    assert [harness.secrets.get("a"), harness.secrets.get("a")] == ["s3cret", "changed"]


def test_set() -> None:
    """A secret is stored with exactly the parameters of ampx."""
    harness = SecretsHarness({"Version": 1, "Tier": "Standard"})
    assert harness.secrets.set("username", "ann") == StoredSecret("username", 1)
    assert harness.aws.calls == [
        Call(
            "ssm",
            "PutParameter",
            {
                "Name": f"{PREFIX}/username",
                "Value": "ann",
                "Type": "SecureString",
                "Description": "Amplify Secret",
                "Overwrite": True,
            },
        )
    ]
    assert harness.report.events == [Event("secret", "username", "set")]


@pytest.mark.parametrize(
    "value", ["x", " padded ", "line\nbreak\n", "ü" * 2048, "x" * 4096, "{{x}}"], ids=len
)
def test_values_are_stored_unchanged(value: str) -> None:
    """A value of up to 4096 bytes is sent unchanged."""
    harness = SecretsHarness({"Version": 2})
    harness.secrets.set("a", value)
    assert harness.aws.calls[0].parameters["Value"] == value


def test_list_reads_all_pages() -> None:
    """All pages are read, in the order of Parameter Store, without decrypting the values."""
    harness = SecretsHarness(_page("b", "a", token="t1"), _page(token="t2"), _page("c"))
    assert harness.secrets.list() == ["b", "a", "c"]
    first = {"Path": PREFIX, "WithDecryption": False}
    assert harness.aws.calls == [
        Call("ssm", "GetParametersByPath", first),
        Call("ssm", "GetParametersByPath", {**first, "NextToken": "t1"}),
        Call("ssm", "GetParametersByPath", {**first, "NextToken": "t2"}),
    ]
    assert harness.report.events == []


def test_list_without_secrets() -> None:
    """A sandbox without secrets has an empty list."""
    assert SecretsHarness(_page()).secrets.list() == []


def test_remove() -> None:
    """One secret is removed by its path."""
    harness = SecretsHarness({})
    harness.secrets.remove("username")
    assert harness.aws.calls == [Call("ssm", "DeleteParameter", {"Name": f"{PREFIX}/username"})]
    assert harness.report.events == [Event("secret", "username", "removed")]


@pytest.mark.parametrize(
    ("count", "batches"),
    [(0, []), (1, [1]), (10, [10]), (11, [10, 1]), (20, [10, 10]), (23, [10, 10, 3])],
)
def test_remove_all_goes_in_batches(count: int, batches: list[int]) -> None:
    """Secrets are deleted in batches of ten; without secrets no call is made."""
    names = [f"secret-{number}" for number in range(count)]
    replies = [
        {"DeletedParameters": [f"{PREFIX}/{name}" for name in names[start : start + 10]]}
        for start in range(0, count, 10)
    ]
    harness = SecretsHarness(_page(*names), *replies)
    assert harness.secrets.remove_all() == count
    deleted = [call.parameters["Names"] for call in harness.aws.calls[1:]]
    assert [len(batch) for batch in deleted] == batches
    assert [path for batch in deleted for path in batch] == [f"{PREFIX}/{n}" for n in names]
    assert {call.operation for call in harness.aws.calls[1:]} <= {"DeleteParameters"}
    assert harness.report.events == [Event("secret", name, "removed") for name in names]
    assert harness.calls_at_target == ([1] if count else [])


def test_remove_all_counts_secrets_deleted_by_others() -> None:
    """A secret that something else deletes at the same time counts as deleted."""
    harness = SecretsHarness(
        _page("a", "b"),
        {"DeletedParameters": [f"{PREFIX}/a"], "InvalidParameters": [f"{PREFIX}/b"]},
    )
    assert harness.secrets.remove_all() == 2


def test_remove_all_requires_a_result_for_each_secret() -> None:
    """A secret that the response does not mention is not reported as removed."""
    harness = SecretsHarness(_page("a", "b"), {"DeletedParameters": [f"{PREFIX}/a"]})
    with pytest.raises(InvalidResponseError, match="does not mention b"):
        harness.secrets.remove_all()
    assert [event.name for event in harness.report.events] == ["a"]


def test_a_batch_that_fails_is_not_reported_as_done() -> None:
    """Exactly the secrets that were removed before a failure are reported."""
    names = [f"s{number}" for number in range(15)]
    gone = {"DeletedParameters": [f"{PREFIX}/{name}" for name in names[:10]]}
    harness = SecretsHarness(_page(*names), gone, AccessDeniedError("no"))
    with pytest.raises(AccessDeniedError):
        harness.secrets.remove_all()
    assert [event.name for event in harness.report.events] == names[:10]


# --- before the call -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("write", "calls"),
    [
        pytest.param(lambda secrets: secrets.set("a", "v"), 0, id="set"),
        pytest.param(lambda secrets: secrets.remove("a"), 0, id="remove"),
        pytest.param(lambda secrets: secrets.remove_all(), 1, id="remove all"),
    ],
)
def test_the_target_is_named_before_a_write(write: Callable[[Secrets], object], calls: int) -> None:
    """The target is announced before the first write, and not for reading."""
    done = {"Version": 1, "DeletedParameters": [f"{PREFIX}/a"]}
    harness = SecretsHarness(*([_page("a")] if calls else []), done)
    write(harness.secrets)
    assert harness.calls_at_target == [calls]


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_valid_names(name: str) -> None:
    """Letters, digits, underscores, dots and dashes make a name."""
    assert check_name(name) == name


@pytest.mark.parametrize("name", [*BAD_NAMES, None, 7], ids=repr)
@pytest.mark.parametrize(
    "use",
    [
        pytest.param(lambda secrets, name: secrets.get(name), id="get"),
        pytest.param(lambda secrets, name: secrets.set(name, "hidden-value"), id="set"),
        pytest.param(lambda secrets, name: secrets.remove(name), id="remove"),
    ],
)
def test_names_are_refused_before_any_call(
    use: Callable[[Secrets, Any], object], name: Any
) -> None:
    """A slash or a colon in a name is refused in every call, unlike in ampx."""
    harness = SecretsHarness()
    with pytest.raises(InvalidSecretNameError) as caught:
        use(harness.secrets, name)
    assert caught.value.message == f"{name!r} cannot be the name of a secret."
    assert caught.value.exit_code == 2
    assert "letters, digits" in (caught.value.resolution or "")
    assert harness.aws.calls == []
    assert harness.calls_at_target == []


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        pytest.param("", "is empty", id="empty"),
        pytest.param(None, "is not text", id="none"),
        pytest.param(42, "is not text", id="number"),
        pytest.param(b"bytes", "is not text", id="bytes"),
        pytest.param("a\0b", "contains a NUL character", id="NUL"),
        pytest.param("half\ud83d", "is not valid Unicode", id="lone surrogate"),
        pytest.param("x" * 4097, "has 4097 bytes", id="one too many"),
        pytest.param("ü" * 2049, "has 4098 bytes", id="bytes, not characters"),
        pytest.param("x" * 10_000_000, "has 10000000 bytes", id="ten megabytes"),
    ],
)
def test_values_are_refused_before_any_call(value: Any, complaint: str) -> None:
    """A value that Parameter Store cannot store is not sent, and the message does not contain it."""
    harness = SecretsHarness()
    with pytest.raises(InvalidSecretValueError, match=complaint) as caught:
        harness.secrets.set("username", value)
    assert "username" in caught.value.message
    assert len(caught.value.message) < 200
    assert "half" not in caught.value.message
    assert caught.value.exit_code == 2
    assert caught.value.resolution
    assert harness.aws.calls == []
    assert harness.calls_at_target == []


@pytest.mark.parametrize(
    "use",
    [
        pytest.param(lambda secrets: secrets.get("a"), id="get"),
        pytest.param(lambda secrets: secrets.set("a", "v"), id="set"),
        pytest.param(lambda secrets: secrets.list(), id="list"),
        pytest.param(lambda secrets: secrets.remove("a"), id="remove"),
        pytest.param(lambda secrets: secrets.remove_all(), id="remove all"),
    ],
)
@pytest.mark.parametrize("namespace", ["应用", "@/-_"])
def test_a_package_name_that_leaves_no_path(
    namespace: str, use: Callable[[Secrets], object]
) -> None:
    """A package name without ASCII letters or digits is refused before any call."""
    harness = SecretsHarness(namespace=namespace)
    with pytest.raises(BackendIdConversionFault) as caught:
        use(harness.secrets)
    assert repr(namespace) in caught.value.message
    assert "package.json" in (caught.value.resolution or "")
    assert caught.value.exit_code == 3
    assert harness.aws.calls == []
    assert harness.calls_at_target == []


def test_a_valid_value_is_returned() -> None:
    """The checks return the valid value, for use in an expression."""
    assert check_value("a", "v") == "v"


# --- failures ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("is_local", "command"),
    [
        pytest.param(False, "seedctl --identifier alice secret", id="AWS"),
        pytest.param(True, "seedctl --local --identifier alice secret", id="local"),
    ],
)
@pytest.mark.parametrize(
    ("use", "resolution"),
    [
        pytest.param(
            lambda secrets: secrets.get("username"), "Set it with {} set username.", id="get"
        ),
        pytest.param(
            lambda secrets: secrets.remove("username"),
            "{} list shows the existing ones.",
            id="remove",
        ),
    ],
)
def test_a_missing_secret(
    use: Callable[[Secrets], object], resolution: str, is_local: bool, command: str
) -> None:
    """The error for a missing secret names its sandbox and a command; AWS's code and request id stay."""
    missing = _not_found()
    harness = SecretsHarness(missing, is_local=is_local)
    with pytest.raises(SSMParameterNotFoundError) as caught:
        use(harness.secrets)
    error = caught.value
    assert error.message == "There is no secret username in the sandbox alice of @acme/my-app."
    assert error.resolution == resolution.format(command)
    assert (error.code, error.service) == ("ParameterNotFound", "ssm")
    assert (error.operation, error.request_id) == ("o", "r")
    assert error.exit_code == 4
    assert error.__cause__ is missing
    assert harness.report.events == []


@pytest.mark.parametrize(
    "use",
    [
        pytest.param(lambda secrets: secrets.get("a"), id="get"),
        pytest.param(lambda secrets: secrets.set("a", "v"), id="set"),
        pytest.param(lambda secrets: secrets.remove("a"), id="remove"),
        pytest.param(lambda secrets: secrets.list(), id="list"),
        pytest.param(lambda secrets: secrets.remove_all(), id="remove all"),
    ],
)
def test_other_failures_pass_as_they_are(use: Callable[[Secrets], object]) -> None:
    """The error of a denied call is raised unchanged."""
    denied = SSMCredentialsError("no", code="AccessDeniedException")
    harness = SecretsHarness(denied)
    with pytest.raises(SSMCredentialsError) as caught:
        use(harness.secrets)
    assert caught.value is denied
    assert caught.value.__cause__ is None
    assert harness.report.events == []


@pytest.mark.parametrize("parameter", [{"Value": ""}, {"Value": None}], ids=str)
def test_a_secret_without_a_value(
    parameter: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty value, which older tools could store, is an error and not an empty password."""
    monkeypatch.setenv("SEEDCTL_IDENTIFIER", "alice")
    for is_local, command in ((False, "seedctl"), (True, "seedctl --local")):
        with pytest.raises(SecretError, match="secret a has no value") as caught:
            SecretsHarness(_parameter(**parameter), is_local=is_local).secrets.get("a")
        assert caught.value.resolution == f"Set it again with {command} secret set a."
        assert caught.value.exit_code == 4


# --- masking -------------------------------------------------------------------------------------


def test_a_value_that_was_read_is_masked() -> None:
    """A secret is masked as soon as it is read or set."""
    SecretsHarness(_parameter(Value="read-value")).secrets.get("a")
    assert mask("<read-value>") == "<***>"


def test_a_value_is_masked_before_it_is_sent() -> None:
    """The error of a failed call does not contain the value."""
    harness = SecretsHarness(AWSError("no"))
    with pytest.raises(AWSError):
        harness.secrets.set("a", "sent-value")
    assert mask("<sent-value>") == "<***>"


@pytest.mark.parametrize("text", ["plain", "密码 ü\n", " x "])
def test_text_in_utf_8_is_decoded(text: str) -> None:
    """The bytes are taken as they are, but for a byte order mark, which Windows tools write."""
    assert decode(text.encode(), "stdin") == text
    assert decode(text.encode("utf-8-sig"), "stdin") == text


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ("pass".encode("utf-16"), "UTF-16"),
        ("pass".encode("utf-16-le"), "UTF-16"),
        ("密码".encode("utf-16"), "UTF-16"),
        (b"pa\0ss", "NUL"),
        (b"p\0\xff", "NUL"),
        (b"p\xfcss", "is not UTF-8"),
    ],
)
def test_other_encodings_are_refused(raw: bytes, why: str) -> None:
    """What is not UTF-8 text is not stored as something else, and the value is not shown."""
    with pytest.raises(InvalidSecretValueError, match=f"stdin .*{why}") as caught:
        decode(raw, "stdin")
    assert "ss" not in caught.value.message
    assert "UTF-8" in (caught.value.resolution or "")
