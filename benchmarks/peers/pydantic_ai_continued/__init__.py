"""Pydantic AI as before, but continuing as new with its messages when Temporal suggests it."""
