"""What the ``schema.py`` of ``seedctl types`` refers to. For type checkers and editors alone.

These classes describe the parts of a client again, with type parameters in place of ``Any``, and without
``__getattr__``, which would accept any name. A test compares them with the classes they describe.
"""

import builtins
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum as Enum
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import Any, Generic, Protocol, TypeAlias, TypeVar, overload
from typing import Literal as Literal
from uuid import UUID

from typing_extensions import Required as Required
from typing_extensions import TypedDict as TypedDict
from typing_extensions import Unpack

from seedctl.appsync.auth_modes import AuthMode
from seedctl.appsync.batch_writers import IfExists
from seedctl.appsync.batches import RowResult
from seedctl.appsync.client import CustomOperation as CustomOperation
from seedctl.appsync.client import EnumValues as EnumValues
from seedctl.appsync.keys import KeyOf
from seedctl.appsync.model_client import ModelClient as ModelClient
from seedctl.appsync.model_requests import SortDirection
from seedctl.appsync.records import Page as Page
from seedctl.bulk.engine import OnError

# What may be given for each scalar: see the table in seedctl.appsync.values.
ID: TypeAlias = str | int | UUID
String: TypeAlias = str | UUID
Int: TypeAlias = int | Decimal
Float: TypeAlias = float | Decimal
Boolean: TypeAlias = bool
AWSDate: TypeAlias = str | date
AWSTime: TypeAlias = str | time
AWSDateTime: TypeAlias = str | datetime
AWSTimestamp: TypeAlias = int | datetime
AWSEmail: TypeAlias = str
AWSJSON: TypeAlias = Any
AWSPhone: TypeAlias = str
AWSURL: TypeAlias = str
AWSIPAddress: TypeAlias = str | IPv4Address | IPv6Address | IPv4Interface | IPv6Interface

_Create = TypeVar("_Create")
_Update = TypeVar("_Update")
_Key = TypeVar("_Key")
_ListKeys = TypeVar("_ListKeys")
_Record = TypeVar("_Record", bound=TypedRecord)
_Entry = TypeVar("_Entry")
_Item_co = TypeVar("_Item_co", covariant=True)
_Operand = TypeVar("_Operand")
_Value = TypeVar("_Value", bound=str)
_Arguments = TypeVar("_Arguments")
_Result = TypeVar("_Result")

class List(Protocol[_Item_co]):
    """A list or tuple. Text is none, although it is a sequence of text: it cannot contain any object."""

    def __contains__(self, value: object, /) -> bool: ...
    def __getitem__(self, index: int, /) -> _Item_co: ...
    def __iter__(self) -> Iterator[_Item_co]: ...
    def __len__(self) -> int: ...
    def __reversed__(self) -> Iterator[_Item_co]: ...

class NoArguments(TypedDict):
    """The arguments of an operation that has none, and the keys of a list that takes none."""

class Condition(TypedDict, Generic[_Operand], total=False):
    """A condition on a sort key."""

    eq: _Operand
    le: _Operand
    lt: _Operand
    ge: _Operand
    gt: _Operand
    between: List[_Operand]
    beginsWith: _Operand

class RequestOptions(TypedDict, total=False):
    """The options of every request."""

    auth_mode: AuthMode | None
    auth_token: str | None
    headers: Mapping[str, str] | None
    validate: bool

class RecordOptions(RequestOptions, total=False):
    """The options of a request that returns records."""

    selection_set: Sequence[str] | None

class CreateOptions(RecordOptions, total=False):
    """The options of ``create``."""

    if_exists: IfExists

class ListOptions(RecordOptions, total=False):
    """The options of ``list_all``."""

    filter: Mapping[str, Any] | None
    limit: int | None
    sort_direction: SortDirection | None

class PageOptions(ListOptions, total=False):
    """The options of ``list`` and of index queries."""

    next_token: str | None

class BulkDeleteOptions(RequestOptions, total=False):
    """The options of ``delete_many``."""

    concurrency: int
    batch_size: int
    on_error: OnError

class BulkCreateOptions(BulkDeleteOptions, total=False):
    """The options of ``create_many``."""

    key: KeyOf | None
    if_exists: IfExists

class TypedRecord(Mapping[str, Any]):
    """A ``Record``. The subclass for a model or custom type declares the attributes."""

    def __getitem__(self, name: str) -> Any: ...
    def __iter__(self) -> Iterator[str]: ...
    def __len__(self) -> int: ...
    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain dicts and lists, which json.dumps accepts."""

class TypedPage(Generic[_Record]):
    """A ``Page``. Iterating it yields its records."""

    @property
    def items(self) -> list[_Record | None]: ...
    @property
    def next_token(self) -> str | None: ...
    def __iter__(self) -> Iterator[_Record]: ...

class RelatedRecord(Generic[_Record]):
    """The relation of a record to one other, which is loaded when it is called.

    If a selection set has loaded it, the attribute is the record itself, or None. That is why the
    class for a relation is also one for the record.
    """

    def __call__(
        self,
        *,
        auth_mode: AuthMode | None = None,
        auth_token: str | None = None,
    ) -> _Record | None: ...

class RelatedRecords(builtins.list[_Record]):
    """The relation of a record to many others, of which a call loads a page.

    If a selection set has loaded them, the attribute is a list of the records.
    """

    def __call__(
        self,
        *,
        limit: int | None = None,
        next_token: str | None = None,
        auth_mode: AuthMode | None = None,
        auth_token: str | None = None,
    ) -> TypedPage[_Record]: ...

class IndexQuery(Generic[_Key, _Record]):
    """Returns a page of the records that a secondary index finds."""

    def __call__(self, keys: _Key, **options: Unpack[PageOptions]) -> TypedPage[_Record]: ...

class Operation(Generic[_Arguments, _Result]):
    """Runs a custom operation that has required arguments, and returns its result."""

    def __call__(self, arguments: _Arguments, **options: Unpack[RequestOptions]) -> _Result: ...

class OperationWithoutRequired(Generic[_Arguments, _Result]):
    """Runs a custom operation without required arguments, and returns its result."""

    def __call__(
        self, arguments: _Arguments | None = None, **options: Unpack[RequestOptions]
    ) -> _Result: ...

class TypedEnum(Generic[_Value]):
    """One enum of the schema. Iterating it yields its values."""

    def values(self) -> list[_Value]:
        """Return the values in the order of the schema."""

    def __iter__(self) -> Iterator[_Value]: ...

class TypedNamespace(Generic[_Entry]):
    """The models, operations or enums. A subscript takes any name, and has no types."""

    def __getitem__(self, name: str) -> _Entry: ...
    def __iter__(self) -> Iterator[str]: ...

class TypedIndexes:
    """The secondary indexes of a model, which the file declares, and each of them by its name."""

    def __getitem__(self, name: str) -> Callable[..., Page]:
        """Return the query of a secondary index; a subscript takes any name, and has no types."""

class TypedCreate(Generic[_Create, _Record]):
    """Creates the records of one model."""

    def create(self, record: _Create, **options: Unpack[CreateOptions]) -> _Record:
        """Create a record and return it as AppSync stored it."""

    def create_many(
        self, rows: Iterable[_Create], **options: Unpack[BulkCreateOptions]
    ) -> list[RowResult]:
        """Create a record of each row, several in a request and several requests at once."""

    def fake(
        self,
        count: int,
        fields: Mapping[str, Any] | None = None,
        /,
        *,
        seed: int | str = 0,
        **values: Any,
    ) -> TypedFakeRows[_Create]:
        """Generate rows for ``create_many`` from the schema, with realistic values."""

class TypedFakeRows(Sequence[_Create]):
    """The rows of ``fake``. Their parents and children have no types."""

    @overload
    def __getitem__(self, index: int) -> _Create: ...
    @overload
    def __getitem__(self, index: slice) -> TypedFakeRows[_Create]: ...
    def __len__(self) -> int: ...
    def key(self, index: int) -> Mapping[str, Any]:
        """Return the primary key of a row."""

    def parents(self, relation: str) -> Sequence[Any]:
        """Return the rows that were generated as the parents in a relation."""

    def children(
        self,
        relation: str,
        fields: Mapping[str, Any] | None = None,
        /,
        **values: Any,
    ) -> Sequence[Any]:
        """Return the children of the rows in a hasMany or hasOne relation."""

class TypedUpdate(Generic[_Update, _Record]):
    """Updates the records of one model."""

    def update(self, record: _Update, **options: Unpack[RecordOptions]) -> _Record:
        """Change fields of an existing record, and return the record."""

class TypedUpsert(Generic[_Create, _Record]):
    """Creates or updates the records of one model."""

    def upsert(self, record: _Create, **options: Unpack[RecordOptions]) -> _Record:
        """Create a record, or update the one with this key, so that a seed can be run again."""

class TypedDelete(Generic[_Key, _Record]):
    """Deletes the records of one model."""

    def delete(self, key: _Key | _Record, **options: Unpack[RecordOptions]) -> _Record:
        """Delete a record, and return it as it was."""

    def delete_many(
        self, keys: Iterable[_Key | _Record], **options: Unpack[BulkDeleteOptions]
    ) -> list[RowResult]:
        """Delete many records. One that does not exist has the state "missing", and did not fail."""

class TypedGet(Generic[_Key, _Record]):
    """Reads single records of one model."""

    def get(self, key: _Key | _Record, **options: Unpack[RecordOptions]) -> _Record | None:
        """Return the record with this primary key, or None if there is none."""

class TypedList(Generic[_ListKeys, _Record]):
    """Lists the records of one model."""

    def list(
        self, keys: _ListKeys | None = None, **options: Unpack[PageOptions]
    ) -> TypedPage[_Record]:
        """Return one page of records."""

    def list_all(
        self, keys: _ListKeys | None = None, **options: Unpack[ListOptions]
    ) -> Iterator[_Record]:
        """Yield every record, page after page. A page is requested when it is needed."""

class TypedModel(
    TypedCreate[_Create, _Record],
    TypedUpdate[_Update, _Record],
    TypedUpsert[_Create, _Record],
    TypedDelete[_Key, _Record],
    TypedGet[_Key, _Record],
    TypedList[_ListKeys, _Record],
    TypedIndexes,
    Generic[_Create, _Update, _Key, _ListKeys, _Record],
):
    """Reads and writes the records of one model: see ``ModelClient``."""
