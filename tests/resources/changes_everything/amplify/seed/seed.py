"""Changes what a script can change, then fails: all of it must be undone."""

import os
import sys

import own_module

os.environ["LEFT_BEHIND"] = "1"
os.environ["HOME"] = "/elsewhere"
os.environ.pop("PATH", None)
sys.path.append("/elsewhere")
sys.argv.append("more")
os.chdir("/")
raise RuntimeError(own_module.TEXT)
