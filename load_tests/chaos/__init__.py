"""Fault tests: real workers against a real broker and store, broken on purpose, compared with an undisturbed run."""
