"""The ``data`` section of the outputs file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seedctl.errors import NoEndpoint
from seedctl.outputs.models import NO_SCHEMA, Introspection

if TYPE_CHECKING:
    from seedctl.appsync.auth_modes import AuthMode
    from seedctl.outputs import AmplifyOutputs

_MODES: dict[str | None, AuthMode] = {
    "AMAZON_COGNITO_USER_POOLS": "userPool",
    "API_KEY": "apiKey",
    "AWS_IAM": "iam",
    "AWS_LAMBDA": "lambda",
    "OPENID_CONNECT": "oidc",
}


@dataclass(frozen=True, slots=True)
class DataSection:
    url: str
    aws_region: str
    default_auth_mode: AuthMode
    api_key: str | None = field(repr=False)
    schema: Introspection = field(repr=False)


def parse_data_section(outputs: AmplifyOutputs) -> DataSection:
    """Return the data section of *outputs* as the client uses it. Raises NoEndpoint."""
    data = outputs.data
    if data is None:
        raise NoEndpoint(
            f"{outputs.path} has no data section: this backend has no data resource.",
            resolution="Add one in amplify/data/resource.ts, deploy, and run again.",
        )
    return DataSection(
        url=data.url,
        aws_region=data.aws_region,
        # What amplify-js takes for a type it does not know.
        default_auth_mode=_MODES.get(data.default_authorization_type, "iam"),
        api_key=data.api_key,
        schema=data.schema or NO_SCHEMA,
    )
