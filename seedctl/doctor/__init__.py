"""Checks of everything that a seed needs: the project, its backend, the way to AWS, this machine.

Each check is a small function that looks at one thing and says what it found, or raises the error
that a seed would raise. Nothing is written, started or asked for.
"""
