"""Users of one backend: creating them, signing them in, and their sessions."""
