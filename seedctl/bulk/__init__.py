"""Many things at once: one engine with threads, progress and retries.

Users, records and files are sent by adapters beside their clients.
"""
