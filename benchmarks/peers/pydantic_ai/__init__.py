"""Pydantic AI with its durability on Temporal."""
