"""Figures of the whole way on a real broker, in reference microseconds."""
