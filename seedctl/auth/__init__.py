"""Cognito: creating users, signing them in, their sessions and groups."""
