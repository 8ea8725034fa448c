"""The same job done by others, for comparison."""
