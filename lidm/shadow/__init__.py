"""Shadow runs: which there are, and how what they say differs from what is said live."""
