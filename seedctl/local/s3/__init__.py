"""S3: the buckets of the outputs file, their objects streamed to and from files.

``operations`` is the table of operations; ``signature`` and ``callers`` say who calls, ``rules``
what they may, ``index`` and ``files`` keep the objects. Keys never become file names. The sandbox
loads ``service`` at the first call, ``buckets`` at its start.
"""
