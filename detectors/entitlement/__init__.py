"""Detectors of this family, one file each; found by `detectors.registry`."""
