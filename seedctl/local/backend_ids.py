"""The ids of a backend, under which the state stores users, records and files."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from seedctl.local.s3.buckets import buckets_of

if TYPE_CHECKING:
    from seedctl.outputs import AmplifyOutputs

_NAMES = {"user_pool": "user pool", "identity_pool": "identity pool", "api": "API"}


@dataclass(frozen=True, slots=True)
class BackendIds:
    """The ids in an outputs file. None means that the backend has no such resource."""

    user_pool: str | None = None
    identity_pool: str | None = None
    api: str | None = None
    """The URL of the AppSync API."""
    buckets: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, outputs: AmplifyOutputs | None) -> BackendIds:
        """Return the ids in *outputs*; without a file, only secrets are served."""
        if outputs is None:
            return cls()
        auth, data = outputs.auth, outputs.data
        return cls(
            user_pool=auth.user_pool_id if auth is not None else None,
            identity_pool=auth.identity_pool_id if auth is not None else None,
            api=data.url if data is not None else None,
            buckets=sorted(buckets_of(outputs.storage)),
        )

    @classmethod
    def parse(cls, document: Any) -> BackendIds:
        """Return the ids in the *document* of a manifest. Raises TypeError."""
        ids = cls(**document)
        texts = [text for text in (ids.user_pool, ids.identity_pool, ids.api) if text is not None]
        if not all(isinstance(text, str) for text in (*texts, *ids.buckets)):
            raise TypeError("An id is not a text.")
        return ids

    def differences(self, current: BackendIds) -> list[str]:
        """Return what of these ids is another one in *current*, as texts.

        What only one of the two has makes no difference: a resource was added or removed.
        """
        own, other = asdict(self), asdict(current)
        found = [
            f"the {text} {own[name]}, not {other[name]}"
            for name, text in _NAMES.items()
            if own[name] is not None and other[name] is not None and own[name] != other[name]
        ]
        missing = sorted(set(self.buckets) - set(current.buckets))
        if missing and current.buckets:
            found.append(f"the bucket {missing[0]}, not {' or '.join(current.buckets)}")
        return found
