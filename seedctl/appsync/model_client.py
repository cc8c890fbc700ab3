"""``client.models.<Model>``: create, update and delete records, one or many."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, get_args

from seedctl.appsync.auth_modes import AuthMode
from seedctl.appsync.batch_writers import BulkCreator, BulkDeleter, IfExists
from seedctl.appsync.batches import RowResult
from seedctl.appsync.input_builder import require_key
from seedctl.appsync.keys import KeyOf, may_lack_key_part
from seedctl.appsync.model_queries import ModelQueries, call_options
from seedctl.appsync.records import Record
from seedctl.bulk.engine import BulkOptions, OnError, check_choice
from seedctl.errors import ConditionalCheckFailedError

if TYPE_CHECKING:
    from seedctl.fake import FakeRows


class ModelClient(ModelQueries):
    """Reads and writes the records of one model. Each secondary index is also a method.

    The options are those of the JavaScript client, in Python's spelling.
    """

    def __repr__(self) -> str:
        return f"<ModelClient {self._model.name}>"

    def create(
        self,
        record: Mapping[str, Any] | None = None,
        *,
        if_exists: IfExists = "error",
        selection_set: Sequence[str] | None = None,
        auth_mode: AuthMode | None = None,
        auth_token: str | None = None,
        headers: Mapping[str, str] | None = None,
        validate: bool = True,
    ) -> Record:
        """Create a record and return it as AppSync stored it.

        When no response comes, a create is repeated only if *record* has its whole key.

        Args:
            record: The fields. AppSync generates an id that is missing.
            if_exists: What to do when a record with this key exists. "error" raises
                ConditionalCheckFailedError, "skip" returns the record unchanged, "update" gives it
                the fields of *record*. "skip" and "update" need the whole key in *record*.
            selection_set: The fields to return, as for ``get``.
            auth_mode: How this request authenticates. None uses the client's auth mode.
            auth_token: The Authorization header of this request.
            headers: HTTP headers that replace the client's.
            validate: False sends *record* without checking it against the schema.

        Raises:
            ConditionalCheckFailedError: A record with this key exists.
            GraphQLError: AppSync returned other errors.
            InvalidInputError: *record* does not fit the schema.
        """
        check_choice("if_exists", if_exists, get_args(IfExists))
        options = call_options(auth_mode, auth_token, headers, selection_set, validate=validate)
        given = record or {}
        key: Mapping[str, Any] = {}
        if if_exists != "error":
            key = self._inputs.key(self._model, given, validate=False)
            require_key(self._model, key)
        variables = self._inputs.create(self._model, given, validate=validate)
        stored = None
        if if_exists != "error" and validate and may_lack_key_part(self._model, variables):
            # AppSync would refuse the index key before it checks whether the record exists.
            stored = self._requests.get_if_readable(key, options.auth)
        if stored is None:
            try:
                return self._requests.mutate("create", variables, options)
            except ConditionalCheckFailedError:
                if if_exists == "error":
                    raise
        if if_exists == "skip":
            return self._requests.get_existing(key, options)
        update = self._requests.update_input(given, options, stored)
        return self._requests.mutate("update", update, options)

    def update(
        self,
        record: Mapping[str, Any],
        *,
        selection_set: Sequence[str] | None = None,
        auth_mode: AuthMode | None = None,
        auth_token: str | None = None,
        headers: Mapping[str, str] | None = None,
        validate: bool = True,
    ) -> Record:
        """Change fields of an existing record, and return the record.

        If only some fields of a composite index key are given, the others are read from the stored
        record and sent along, since AppSync accepts them only together.

        Args:
            record: The whole primary key, and the fields to change. None removes a value.
            selection_set: The fields to return, as for ``get``.
            auth_mode: How this request authenticates. None uses the client's auth mode.
            auth_token: The Authorization header of this request.
            headers: HTTP headers that replace the client's.
            validate: False sends *record* without checking it against the schema.

        Raises:
            ConditionalCheckFailedError: There is no record with this key.
            GraphQLError: AppSync returned other errors.
            InvalidInputError: *record* does not fit the schema.
        """
        options = call_options(auth_mode, auth_token, headers, selection_set, validate=validate)
        variables = self._requests.update_input(record, options)
        return self._requests.mutate("update", variables, options)

    def upsert(
        self,
        record: Mapping[str, Any],
        *,
        selection_set: Sequence[str] | None = None,
        auth_mode: AuthMode | None = None,
        auth_token: str | None = None,
        headers: Mapping[str, str] | None = None,
        validate: bool = True,
    ) -> Record:
        """Create a record, or update the one with this key, so that a seed can be run again.

        The same as ``create`` with ``if_exists="update"``. Rules of fields may forbid to send an id.

        Args:
            record: The whole primary key, and the other fields.
            selection_set: The fields to return, as for ``get``.
            auth_mode: How these requests authenticate. None uses the client's auth mode.
            auth_token: The Authorization header of these requests.
            headers: HTTP headers that replace the client's.
            validate: False sends *record* without checking it against the schema.

        Raises:
            GraphQLError: AppSync returned errors.
            InvalidInputError: *record* does not fit the schema, or lacks a part of its key.
        """
        return self.create(
            record,
            if_exists="update",
            selection_set=selection_set,
            auth_mode=auth_mode,
            auth_token=auth_token,
            headers=headers,
            validate=validate,
        )

    def delete(
        self,
        key: Mapping[str, Any],
        *,
        selection_set: Sequence[str] | None = None,
        auth_mode: AuthMode | None = None,
        auth_token: str | None = None,
        headers: Mapping[str, str] | None = None,
        validate: bool = True,
    ) -> Record:
        """Delete a record, and return it as it was.

        Args:
            key: The fields of the primary key. Other fields are ignored.
            selection_set: The fields to return, as for ``get``.
            auth_mode: How this request authenticates. None uses the client's auth mode.
            auth_token: The Authorization header of this request.
            headers: HTTP headers that replace the client's.
            validate: False sends the key without checking it against the schema.

        Raises:
            ConditionalCheckFailedError: There is no record with this key.
            GraphQLError: AppSync returned other errors.
            InvalidInputError: The key is incomplete or has a wrong value.
        """
        options = call_options(auth_mode, auth_token, headers, selection_set, validate=validate)
        variables = self._inputs.key(self._model, key, validate=validate)
        return self._requests.mutate("delete", variables, options)

    def create_many(
        self,
        rows: Iterable[Mapping[str, Any]],
        *,
        key: KeyOf | None = None,
        concurrency: int = 8,
        batch_size: int = 25,
        if_exists: IfExists = "error",
        on_error: OnError = "raise",
        auth_mode: AuthMode | None = None,
        auth_token: str | None = None,
        headers: Mapping[str, str] | None = None,
        validate: bool = True,
    ) -> builtins.list[RowResult]:
        """Create a record of each row, several in a request and several requests at once.

        Args:
            rows: The records. Of a generator only as many are read as can be sent.
            key: What the ids of rows without an id are derived from: a field, a list of fields, or
                a function of the row. A second run then finds the same records. None generates
                random ids, or leaves ids to AppSync if rules of fields deny them.
            concurrency: How many requests are sent at once, 1 to 64.
            batch_size: How many rows are sent in one request, 1 to 100. Large rows go in fewer.
            if_exists: What to do when a row's record exists, as for ``create``.
            on_error: "raise" raises a BulkError after all rows were tried; "collect" only returns
                the results.
            auth_mode: How these requests authenticate. None uses the client's auth mode.
            auth_token: The Authorization header of these requests.
            headers: HTTP headers that replace the client's.
            validate: False sends the rows without checking them against the schema.

        Returns:
            One result for each row, in the order of the rows.

        Raises:
            BulkError: A row failed. Its ``results`` are what would have been returned.
            InvalidInputError: An option is wrong, or two rows of a list have the same key.
        """
        options = call_options(auth_mode, auth_token, headers, None, validate=validate)
        bulk_options = BulkOptions(concurrency, if_exists, on_error, batch_size)
        return BulkCreator(self._requests, options, bulk_options, key).run(rows)

    def delete_many(
        self,
        keys: Iterable[Mapping[str, Any]],
        *,
        concurrency: int = 8,
        batch_size: int = 25,
        on_error: OnError = "raise",
        auth_mode: AuthMode | None = None,
        auth_token: str | None = None,
        headers: Mapping[str, str] | None = None,
        validate: bool = True,
    ) -> builtins.list[RowResult]:
        """Delete many records. One that does not exist has the state "missing", and did not fail.

        Args:
            keys: The primary keys, or whole records.
            concurrency: How many requests are sent at once, 1 to 64.
            batch_size: How many keys are sent in one request, 1 to 100.
            on_error: "raise" raises a BulkError after all keys were tried; "collect" only returns
                the results.
            auth_mode: How these requests authenticate. None uses the client's auth mode.
            auth_token: The Authorization header of these requests.
            headers: HTTP headers that replace the client's.
            validate: False sends the keys without checking them against the schema.

        Returns:
            One result for each key, in the order of the keys.

        Raises:
            BulkError: A key failed. Its ``results`` are what would have been returned.
            InvalidInputError: An option is wrong.
        """
        options = call_options(auth_mode, auth_token, headers, None, validate=validate)
        bulk_options = BulkOptions(concurrency, "delete", on_error, batch_size)
        return BulkDeleter(self._requests, options, bulk_options).run(keys)

    def fake(
        self,
        count: int,
        fields: Mapping[str, Any] | None = None,
        /,
        *,
        seed: int | str = 0,
        **values: Any,
    ) -> FakeRows:
        """Generate rows for ``create_many`` from the schema, with realistic values. Nothing is sent.

        A value depends only on the seed, the model, the field and the number of the row. Its kind
        depends on the type and the name of the field. Enums are obeyed, and validators too if the
        outputs file was made from the project's source. Owner fields are left to the API.

        Args:
            count: How many rows, from 0.
            fields: The values of fields, by field, in place of generated ones. They can also be given
                by keyword, as in ``fake(200, status="DRAFT")``, except for names that Python
                reserves. From a list or range each row gets one value, a mapping has values with
                their weights, a function gets the row and returns the value, None leaves the field
                out; anything else is the value of all rows. A field that is a list takes a number or
                range as its length. A belongsTo relation takes rows of ``fake``, records, or how
                many parents to generate. A hasMany relation takes how many children each row has,
                for ``children`` of the result.
            seed: Another seed gives other rows, with other ids. A number or a text.

        Returns:
            A sequence of dicts. Each row is generated when it is read.

        Raises:
            InvalidInputError: The value of a required field cannot be generated, or a given value
                does not fit.
        """
        from seedctl.fake import fake_rows  # noqa: PLC0415 - most scripts need no fake rows

        api, given = self._requests.api, {**(fields or {}), **values}
        return fake_rows(api.schema, api.model_sources(), self._model, count, given, seed=seed)
