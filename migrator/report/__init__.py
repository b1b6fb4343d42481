"""The report: one schema, and what people read of it."""
