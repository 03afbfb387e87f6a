"""The OpenAI Agents SDK with Temporal's plugin for it."""
