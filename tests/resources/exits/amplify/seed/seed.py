"""Ends itself with the code, or the text, that its argument gives."""

import sys

argument = sys.argv[1] if len(sys.argv) > 1 else ""
sys.exit(int(argument) if argument.lstrip("-").isdigit() else argument or None)
