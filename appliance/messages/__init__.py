"""What goes over the broker: one pydantic model a topic. JSON Schemas in `docs/schemas` come from these."""
