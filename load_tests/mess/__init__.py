"""Files as messy as departments really send them, each with what must come out of a check; generated, never real."""
