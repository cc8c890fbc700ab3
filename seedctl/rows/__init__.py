"""Rows in JSON Lines and CSV files: read them, export records to them, and import them."""
