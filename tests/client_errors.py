"""The errors of boto3's clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable


def error_code(call: Callable[..., object], **given: Any) -> str:
    """Return AWS's code of the error that *call* must raise."""
    with pytest.raises(ClientError) as caught:
        call(**given)
    code: str = caught.value.response["Error"]["Code"]
    return code
