"""What the ``schema.py`` of ``seedctl types`` refers to: see ``typed.pyi``.

At run time a client is the same with and without types, so nothing is defined here.
"""
