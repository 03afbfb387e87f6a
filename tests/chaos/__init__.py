"""A storm over a whole stack: what may go wrong does, and the promises are read from outside at its end."""
