"""Breaker, budget and ledger on Redis: the only package that imports it."""
