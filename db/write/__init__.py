"""Writes: what a command is, the transaction it works in, the rows it locks, and the one that carries it out."""
