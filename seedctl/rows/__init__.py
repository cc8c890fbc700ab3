"""Rows in files: read from JSON Lines and CSV, exported from the models, and imported again."""
