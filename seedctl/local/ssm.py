"""Parameter Store: the calls that secrets need, with the service's limits.

Region and account of a call are ignored: a local state is one sandbox, and its secrets should be
found even if the developer's AWS_REGION has changed between two commands.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

from seedctl.local.protocol import ACCOUNT, Call, Operation, ServiceError
from seedctl.local.seal import InvalidTokenError, issue_token, read_token
from seedctl.local.state_folder import FOLDER, has_state
from seedctl.local.store import Store, View

if TYPE_CHECKING:
    from pathlib import Path


_TYPES = ("String", "StringList", "SecureString")
_NAME = re.compile(r"[a-zA-Z0-9_.\-/]+")
_MAX_NAME = 1011
_MAX_LEVELS = 15
_MAX_VALUE_BYTES = 4096
_MAX_VERSIONS = 100

# In SQLite, max() makes the other columns those of the row with the maximum: the newest version.
_NEWEST = "SELECT name, max(version) AS version, type, description, modified, secret FROM parameter"


class ParameterStore:
    """The ``AmazonSSM`` service."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self.operations = {
            name: Operation(handler, signed=True)
            for name, handler in {
                "DeleteParameter": self._delete,
                "DeleteParameters": self._delete_several,
                "DescribeParameters": self._describe,
                "GetParameter": self._get,
                "GetParameters": self._get_several,
                "GetParametersByPath": self._get_by_path,
                "PutParameter": self._put,
            }.items()
        }

    def _put(self, call: Call) -> dict[str, Any]:
        name = call.text("Name", maximum=2048)
        _check_new_name(call, name)
        value = call.text("Value", maximum=8192)
        if len(value.encode()) > _MAX_VALUE_BYTES:
            call.fail(
                "Standard tier parameters support a maximum parameter value of 4096 characters. "
                "To create a larger parameter value, upgrade the parameter to use the advanced-"
                "parameter tier."
            )
        given_type = call.optional_text("Type", choices=_TYPES)
        description = call.optional_text("Description", minimum=0, maximum=1024)
        overwrite = call.flag("Overwrite")
        call.optional_text("Tier", choices=("Standard", "Intelligent-Tiering"))
        with self._store.transaction() as view:
            before = _newest(view, name) or {}
            if before and not overwrite:
                raise ServiceError(
                    "ParameterAlreadyExists",
                    "The parameter already exists. To overwrite this value, set the overwrite "
                    "option in the request to true.",
                )
            if not before and given_type is None:
                call.fail("A parameter type is required when you create a parameter.")
            version = before.get("version", 0) + 1
            view.put(
                "parameter",
                name=name,
                version=version,
                type=given_type or before["type"],
                description=description,
                modified=self._clock(),
                secret=view.seal.encrypt(value, "parameter", name, str(version)),
            )
            # AWS refuses to delete a labelled version; the sandbox has no labels.
            view.execute(
                "DELETE FROM parameter WHERE name = ? AND version <= ?",
                (name, version - _MAX_VERSIONS),
            )
        return {"Version": version, "Tier": "Standard"}

    def _get(self, call: Call) -> dict[str, Any]:
        name = call.text("Name")
        decrypt = call.flag("WithDecryption")
        with self._store.reading() as view:
            document = self._find(view, name)
        return {"Parameter": self._shown(call, document, decrypt=decrypt)}

    def _get_several(self, call: Call) -> dict[str, Any]:
        names = _names(call)
        decrypt = call.flag("WithDecryption")
        found, invalid = [], []
        with self._store.reading() as view:
            for name in names:
                try:
                    found.append(self._shown(call, self._find(view, name), decrypt=decrypt))
                except ServiceError:
                    invalid.append(name)
        return {"Parameters": found, "InvalidParameters": invalid}

    def _get_by_path(self, call: Call) -> dict[str, Any]:
        path = call.text("Path")
        if not path.startswith("/") or not _NAME.fullmatch(path):
            call.fail("The parameter path must begin with a slash and hold a-zA-Z0-9_.- and / only")
        _refuse_filters(call)
        prefix = path.rstrip("/") + "/"
        recursive = call.flag("Recursive")
        decrypt = call.flag("WithDecryption")
        # "0" is the character after "/", so all names below f"{prefix[:-1]}0" begin with the prefix.
        condition = "name < ? AND (? OR instr(substr(name, ?), '/') = 0)"
        values = (f"{prefix[:-1]}0", recursive, len(prefix) + 1)
        shown = partial(self._shown, call, decrypt=decrypt)
        return self._page(call, shown, prefix, condition, *values, maximum=10)

    def _describe(self, call: Call) -> dict[str, Any]:
        _refuse_filters(call)
        return self._page(call, _described, "", "TRUE", maximum=50)

    def _delete(self, call: Call) -> dict[str, Any]:
        name = call.text("Name")
        with self._store.transaction() as view:
            if not _remove(view, name):
                raise ServiceError("ParameterNotFound")
        return {}

    def _delete_several(self, call: Call) -> dict[str, Any]:
        names = _names(call)
        with self._store.transaction() as view:
            deleted = [name for name in names if _remove(view, name)]
        return {
            "DeletedParameters": deleted,
            "InvalidParameters": [name for name in names if name not in deleted],
        }

    def _find(self, view: View, name: str) -> dict[str, Any]:
        plain, colon, selector = name.partition(":")
        document = _newest(view, plain)
        if document is None:
            raise ServiceError("ParameterNotFound")
        if not colon:
            return document
        query = "SELECT * FROM parameter WHERE name = ? AND CAST(version AS TEXT) = ?"
        old = view.row(query, plain, selector)
        if old is None:
            # The sandbox has no labels, so the selector after the colon is a version.
            raise ServiceError(
                "ParameterVersionNotFound",
                f"Systems Manager could not find version {selector[:32]} of {plain}. "
                "Verify the version and try again.",
            )
        return {**old, "selector": f":{selector}"}

    def _shown(self, call: Call, document: dict[str, Any], *, decrypt: bool) -> dict[str, Any]:
        name, version, seal = document["name"], str(document["version"]), self._store.seal
        if document["type"] == "SecureString" and not decrypt:
            value = base64.b64encode(seal.digest("ciphertext", name, version) * 4).decode()
        else:
            value = seal.decrypt(document["secret"], "parameter", name, version)
        shown = {
            "ARN": f"arn:aws:ssm:{call.region}:{ACCOUNT}:parameter/{name.lstrip('/')}",
            "DataType": "text",
            "LastModifiedDate": document["modified"],
            "Name": name,
            "Type": document["type"],
            "Value": value,
            "Version": document["version"],
        }
        return {**shown, "Selector": document["selector"]} if "selector" in document else shown

    def _page(
        self,
        call: Call,
        shown: Callable[[dict[str, Any]], dict[str, Any]],
        first: str,
        condition: str,
        *values: object,
        maximum: int,
    ) -> dict[str, Any]:
        """Return a page of the parameters after *first* that match *condition*, which is SQL.

        *shown* formats one parameter. The reply has a NextToken if more parameters follow.
        """
        seal, scope = self._store.seal, f"ssm {call.operation} {values}"
        size = call.optional_integer("MaxResults", minimum=1, maximum=maximum) or maximum
        token = call.optional_text("NextToken", maximum=8192)
        try:
            (after,) = read_token(seal, scope, token) if token is not None else [first]
        except InvalidTokenError as error:
            raise ServiceError("InvalidNextToken", "The specified token is not valid.") from error
        # By name: AWS documents no order, but was observed to use this one [?].
        query = f"{_NEWEST} WHERE name > ? AND {condition} GROUP BY name ORDER BY name LIMIT ?"
        with self._store.reading() as view:
            found = list(view.rows(query, after, *values, size + 1))
        reply: dict[str, Any] = {"Parameters": [shown(document) for document in found[:size]]}
        if len(found) > size:
            reply["NextToken"] = issue_token(seal, scope, [found[size - 1]["name"]])
        return reply


def stored_names(state_folder: Path, path: str) -> list[str]:
    """Return the last part of the names of all parameters directly below *path*.

    The list is empty if there is no state. The sandbox need not be running. Raises
    LocalSandboxError.
    """
    if not has_state(state_folder):
        return []
    with closing(Store.open(state_folder / FOLDER)) as store, store.reading() as view:
        names = view.rows("SELECT DISTINCT name FROM parameter ORDER BY name")
        split = [row["name"].rpartition("/") for row in names]
    return [name for parent, _, name in split if parent == path]


def _names(call: Call) -> list[str]:
    names = call.texts("Names")
    if not 1 <= len(names) <= 10:
        call.fail("Names must hold 1 to 10 names.")
    return names


def _newest(view: View, name: str) -> dict[str, Any] | None:
    return view.row(f"{_NEWEST} WHERE name = ? GROUP BY name", name)


def _remove(view: View, name: str) -> bool:
    return view.execute("DELETE FROM parameter WHERE name = ?", (name,)).rowcount > 0


def _described(document: dict[str, Any]) -> dict[str, Any]:
    described = {
        "DataType": "text",
        "LastModifiedDate": document["modified"],
        "LastModifiedUser": f"arn:aws:sts::{ACCOUNT}:assumed-role/seedctl-local/developer",
        "Name": document["name"],
        "Policies": [],
        "Tier": "Standard",
        "Type": document["type"],
        "Version": document["version"],
    }
    if document["description"]:
        described["Description"] = document["description"]
    return described


def _refuse_filters(call: Call) -> None:
    if call.items("ParameterFilters") or call.items("Filters"):
        call.fail("Filters are not available on the local sandbox.")


def _check_new_name(call: Call, name: str) -> None:
    levels = name.strip("/").split("/")
    first = levels[0].lower()
    if not _NAME.fullmatch(name):
        call.fail("Parameter name: only a-zA-Z0-9_.- and / are allowed.")
    if len(name) > _MAX_NAME:
        call.fail(f"Parameter name: a name has at most {_MAX_NAME} characters.")
    if "/" in name and not name.startswith("/"):
        call.fail(
            "Parameter name: a name with levels must be fully qualified: begin it with a slash."
        )
    if not all(levels) or name.endswith("/"):
        call.fail("Parameter name: a level may not be empty.")
    if first.startswith("ssm"):
        call.fail('Parameter name: can\'t be prefixed with "ssm" (case-insensitive).')
    if first.startswith("aws"):
        text = "Parameter name: no access to reserved names, which begin with aws."
        raise ServiceError("AccessDeniedException", text)
    if len(levels) > _MAX_LEVELS:
        text = f"Parameter name: at most {_MAX_LEVELS} levels."
        raise ServiceError("HierarchyLevelLimitExceededException", text)
