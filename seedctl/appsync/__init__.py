"""AppSync: the models of the schema, read and written."""
