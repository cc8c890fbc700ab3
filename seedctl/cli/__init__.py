"""The command line: Click commands, the console, and the only place that shows errors."""
