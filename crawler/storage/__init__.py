"""The only code that speaks MongoDB: server, connection, schema, upserts, reads."""
