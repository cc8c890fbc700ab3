"""The command line: Click commands, the console, and the one place that catches and renders."""
