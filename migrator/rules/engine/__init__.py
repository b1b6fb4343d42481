"""The rule engine: records, templates and the rewriter that applies them."""
