"""Runs a seed script in this process, and writes the report of a run."""
