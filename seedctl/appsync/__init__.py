"""The AppSync client: reads and writes the models of the backend's schema."""
