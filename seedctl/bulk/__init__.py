"""Bulk calls: run many jobs in threads, with progress, retries and one error at the end.

The clients of users, records and files use this to send many items at once.
"""
