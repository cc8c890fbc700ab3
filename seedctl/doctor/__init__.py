"""Checks of everything that seeding needs: the project, its backend, access to AWS, this machine.

Each check is a small function that looks at one thing and returns what it found, or raises the error
that ``seedctl seed`` would raise. Nothing is written, started or asked for.
"""
