"""Find out from AWS's message why IAM denied a call, and what to do about it."""

from __future__ import annotations

import re

_ACTION = re.compile(r"not authorized to perform:? ([a-z0-9-]+:\w+)")
_POLICY = (
    r"(?P<kind>service control|resource control|permissions boundary|permission boundary|session|"
    r"identity-based|resource-based|VPC endpoint)"
)
_EXPLICIT = re.compile(rf"with an explicit deny(?: in an? {_POLICY})?", re.IGNORECASE)
_NOT_ALLOWED = re.compile(rf"because no {_POLICY}(?: policy)? allows", re.IGNORECASE)
_KEY = re.compile(r"\bkms\b|customer master key|KMS key|\bCMK\b", re.IGNORECASE)

_IN_SEED_POLICY = {
    "cognito-idp:AdminAddUserToGroup",
    "cognito-idp:AdminCreateUser",
    "ssm:GetParameter",
    "ssm:PutParameter",
}
_IN_DEPLOY_ACCESS = {
    "cloudformation:DescribeStacks",
    "cloudformation:GetTemplateSummary",
    "ssm:DeleteParameter",
    "ssm:DeleteParameters",
    "ssm:GetParameters",
    "ssm:GetParametersByPath",
}

# Where to allow the action, by the kind of policy; without those attached to the identity itself.
_OWNERS = {
    "service control": "the service control policy (SCP) of the organization: ask its "
    "administrators to allow {action} in this account, or use another account",
    "resource control": "the resource control policy (RCP) of the organization: ask its "
    "administrators to allow {action} on the resource",
    "permissions boundary": "the permissions boundary of your role or user: have {action} allowed "
    "in that policy too",
    "session": "the session policy that was passed when the role was assumed: assume it without one, "
    "or allow {action} there too",
    "resource-based": "the policy of the resource itself: have {action} allowed for your identity "
    "there",
    "VPC endpoint": "the policy of the VPC endpoint that the call goes through: allow {action} "
    "there",
}
_OWN = "a policy of your role or user: remove the Deny statement for {action} from it"
_UNKNOWN = (
    "a policy that applies to you, which may be your role's, your organization's or the resource's: "
    "change the Deny statement for {action} there"
)


def explain_denial(called: str, message: str) -> tuple[str, str]:
    """Return the message and the resolution after AWS denied *called* with *message*."""
    found = _ACTION.search(message)
    action = found.group(1) if found else called
    if found is None and _KEY.search(message):
        action = "kms:Decrypt" if not called.startswith("ssm:Put") else "kms:Encrypt"
    what = f"Your AWS identity may not call {action}."
    if action != called and action.startswith("kms:"):
        what = (
            f"Your AWS identity may not call {action} with the key of the secret, which "
            f"{called} needs."
        )
    return what, _resolution(action, message, is_secret=called.startswith("ssm:"))


def is_beyond_own_rules(message: str) -> bool:
    """Whether *message* names another reason than a missing permission in the caller's policies."""
    missing = _NOT_ALLOWED.search(message)
    is_elsewhere = missing is not None and _kind(missing) in _OWNERS
    return is_elsewhere or _EXPLICIT.search(message) is not None or "kms:" in message


def _resolution(action: str, message: str, *, is_secret: bool) -> str:
    explicit, missing = _EXPLICIT.search(message), _NOT_ALLOWED.search(message)
    if explicit is not None:
        kind = _kind(explicit)
        where = _OWN if kind == "identity-based" else _OWNERS.get(kind, _UNKNOWN)
        return (
            f"It is denied explicitly, which overrides all of your permissions, by "
            f"{where.format(action=action)}."
        )
    kind = _kind(missing) if missing is not None else ""
    if kind in _OWNERS and kind != "resource-based":
        return f"It is not allowed by {_OWNERS[kind].format(action=action)}."
    if action.startswith("kms:"):
        fix = (
            f"Allow {action} on that key, for the identity that calls and in the key's own policy."
        )
        if is_secret:
            fix += " Or store the secret again with seedctl secret set, which uses the AWS managed key."
        return fix
    if action in _IN_SEED_POLICY:
        return (
            "Run seedctl generate-policy > seed-policy.json, attach it to your role with aws iam "
            "put-role-policy (docs/permissions.md), and use that role."
        )
    fix = f"Allow {action} for the identity you use."
    if action in _IN_DEPLOY_ACCESS:
        fix += " AmplifyBackendDeployFullAccess contains it."
    return fix


def _kind(found: re.Match[str]) -> str:
    kind = found["kind"] or ""
    if kind.lower().startswith("permission"):
        return "permissions boundary"
    return next((each for each in (*_OWNERS, "identity-based") if each.lower() == kind.lower()), "")
