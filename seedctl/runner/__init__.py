"""Running a seed script in this process, and the report of a run."""
