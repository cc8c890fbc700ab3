"""Which callers may do what with which field of a model, as the deployment decides it.

The rules of a model and of its fields name roles: kinds of callers, such as owners or one group. A
field's rules replace the model's rules for this field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seedctl.outputs.models import Rule

# Reading is five operations; the API has only the first two here.
_READS = frozenset({"get", "list", "listen", "search", "sync"})
_ALL = _READS | {"create", "update", "delete"}
_NOTHING: frozenset[str] = frozenset()
_DEFAULT_PROVIDERS = {"public": "apiKey", "custom": "function"}
# The identity that owner fields contain by default.
_DEFAULT_CLAIM = "sub::username"
_PRIVATE = "private"
_TOKEN_PROVIDERS = ("userPools", "oidc")


@dataclass(frozen=True, slots=True)
class CallerRole:
    """A kind of caller. The callers of one dynamic role differ from item to item."""

    allow: str
    provider: str
    claim: str | None = None
    """The claim with the groups or the identity; several claims are joined by ``::``."""
    group: str | None = None
    groups_field: str | None = None
    owner_field: str | None = None

    @property
    def is_static(self) -> bool:
        """Whether the role can be decided without an item."""
        return self.owner_field is None and self.groups_field is None


class Access:
    """The operations of each role on each field of one model."""

    def __init__(
        self,
        *,
        fields: Sequence[str],
        key: str,
        composites: Sequence[tuple[str, ...]] = (),
        inferred: Iterable[str] = (),
        rules: Iterable[Rule],
        field_rules: Mapping[str, Iterable[Rule]],
    ) -> None:
        """*fields* are the declared ones, *key* is the partition key.

        *composites* are the fields of each sort key that the API joins to one attribute. *inferred*
        are fields that every role may send that may write anything.
        """
        self._key = key
        self._composites = composites
        self._inferred = frozenset(inferred)
        self._grants: dict[CallerRole, dict[str, frozenset[str]]] = {}
        for rule in rules:
            for role in _roles(rule):
                before = self._grants.get(role, {})
                granted = _operations(rule)
                self._grants[role] = {name: granted | before.get(name, _NOTHING) for name in fields}
        for name, own_rules in field_rules.items():
            for grants in self._grants.values():
                grants[name] = _NOTHING
            for rule in own_rules:
                for role in _roles(rule):
                    grants = self._grants.setdefault(role, dict.fromkeys(fields, _NOTHING))
                    # If the field's rules name a role twice, the last one counts.
                    grants[name] = _operations(rule)

    @cached_property
    def owner_fields(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(role.owner_field for role in self._grants if role.owner_field))

    @cached_property
    def identity_fields(self) -> frozenset[str]:
        """The owner fields whose value joins several claims, of which the API shows the last."""
        return frozenset(
            role.owner_field
            for role in self._grants
            if role.owner_field is not None and role.claim is not None and "::" in role.claim
        )

    @cached_property
    def by_operation(self) -> Mapping[str, tuple[CallerRole, ...]]:
        """The roles that may do an operation with at least one field, or delete every field.

        ``relation`` is reading as a relation: any kind of reading counts.
        """
        found = {name: self._roles(any, {name}) for name in _ALL - {"delete"}}
        found["delete"] = self._roles(all, {"delete"})
        found["relation"] = self._roles(any, _READS)
        return found

    @cached_property
    def writers(self) -> Mapping[str, tuple[CallerRole, ...]]:
        """The roles that may write a field in a create or an update.

        In an update, null deletes the field, so roles that may only delete count too.
        """
        may_delete = self._roles(any, {"delete"})
        updaters = dict.fromkeys((*self.by_operation["update"], *may_delete))
        return {"create": self.by_operation["create"], "update": tuple(updaters)}

    @cached_property
    def unlimited(self) -> frozenset[tuple[CallerRole, str]]:
        """The roles with the operations, create or update, that they may do with all fields."""
        needed = {"create": {"create"}, "update": {"update", "delete"}}
        return frozenset(
            (role, operation)
            for operation, parts in needed.items()
            for role, grants in self._grants.items()
            if all(parts <= granted for granted in grants.values())
        )

    def fields(self, role: CallerRole, operation: str) -> set[str]:
        """Return the fields with which *role* may do *operation*."""
        return {name for name, granted in self._grants[role].items() if operation in granted}

    def attributes(self, role: CallerRole, operation: str) -> set[str]:
        """Return what *role* may send in a create or an update, with the joined sort keys."""
        names = self.fields(role, operation)
        if operation == "update":
            names.add(self._key)
        joined = {"#".join(parts) for parts in self._composites if names.issuperset(parts)}
        return names | joined | self._inferred

    def readers(self, field: str) -> tuple[CallerRole, ...]:
        """Return the roles that may read *field*; none for a field that the API adds."""
        return self._readers.get(field, ((), False))[0]

    def is_guarded(self, field: str) -> bool:
        """Whether some role that may read the model may not read *field*.

        Only such a field is checked when it is read. Fields that the API adds never are.
        """
        return self._readers.get(field, ((), False))[1]

    @cached_property
    def _readers(self) -> Mapping[str, tuple[tuple[CallerRole, ...], bool]]:
        readers = self.by_operation["get"]
        fields = next(iter(self._grants.values()), {})
        found = {}
        for field in fields:
            complete = [role for role in readers if self._grants[role][field] >= _READS]
            asked = _without_covered(readers, complete)
            allowed = tuple(role for role in asked if self._grants[role][field] & _READS)
            found[field] = (allowed, len(allowed) < len(asked))
        return found

    def _roles(
        self, quantifier: Callable[[Iterable[object]], bool], operations: Iterable[str]
    ) -> tuple[CallerRole, ...]:
        wanted = frozenset(operations)
        return tuple(
            role
            for role, grants in self._grants.items()
            if quantifier(granted & wanted for granted in grants.values())
        )


def has_same_readers(field: str, access: Access, related: Access) -> bool:
    """Whether whoever may read *field*, a relation, may read the related model, and the reverse.

    That holds for two different sets of roles too, unless a caller can have roles of both. It does
    not hold for roles that depend on the item.
    """
    own = access.readers(field)
    readers = related.by_operation["relation"]
    others = _without_covered(readers, readers)
    if not any(_overlap(role, other) for role in own for other in others):
        return True
    return len(own) == len(others) and all(
        other in own and other.is_static and other.allow != "custom" for other in others
    )


def _overlap(role: CallerRole, other: CallerRole) -> bool:
    if role == other:
        return True
    return (
        role.provider == other.provider
        and role.provider in (*_TOKEN_PROVIDERS, "identityPool")
        and _PRIVATE in (role.allow, other.allow)
    )


def _without_covered(
    roles: Sequence[CallerRole], covering: Sequence[CallerRole]
) -> tuple[CallerRole, ...]:
    """Return *roles* without those of a provider all of whose users have a role in *covering*."""
    found = tuple(roles)
    for provider in _TOKEN_PROVIDERS:
        every_user = CallerRole(_PRIVATE, provider)
        if every_user in covering:
            found = tuple(r for r in found if r.provider != provider or r == every_user)
    return found


def _operations(rule: Rule) -> frozenset[str]:
    if rule.operations is None:
        return _ALL
    operations = frozenset(rule.operations)
    return operations | _READS if "read" in operations else operations


def _roles(rule: Rule) -> Iterator[CallerRole]:
    provider = rule.provider or _DEFAULT_PROVIDERS.get(rule.allow, "userPools")
    if provider == "iam":
        provider = "identityPool"
    if rule.allow == "owner":
        claim = rule.identity_claim or _DEFAULT_CLAIM
        yield CallerRole(rule.allow, provider, claim, owner_field=rule.owner_field or "owner")
    elif rule.allow == "groups":
        claim = rule.group_claim or "cognito:groups"
        if rule.groups is None:
            field = rule.groups_field or "groups"
            yield CallerRole(rule.allow, provider, claim, groups_field=field)
        for group in rule.groups or ():
            yield CallerRole(rule.allow, provider, claim, group=group)
    else:
        yield CallerRole(rule.allow, provider)
