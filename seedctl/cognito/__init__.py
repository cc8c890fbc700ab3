"""Cognito: user pools, identity pools, sign-in and its challenges."""
