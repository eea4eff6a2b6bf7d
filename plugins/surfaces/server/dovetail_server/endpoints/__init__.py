"""What answers requests: one module a noun, each with its routes in ``ROUTES``."""
