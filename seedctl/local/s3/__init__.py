"""S3: the buckets of the outputs file, their objects streamed to and from files.

``operations`` is the table of operations; ``signature`` and ``callers`` identify the caller,
``rules`` says what the caller may do, ``index`` and ``files`` store the objects. Keys never become
file names. The sandbox loads ``buckets`` when it starts, and ``service`` at the first S3 request.
"""
