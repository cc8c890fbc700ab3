"""The engine of bulk calls: check rows, write them in threads, and raise one error at the end.

``create_users``, ``create_many``, ``delete_many`` and ``upload_many`` are subclasses of its BulkCall.
"""
