"""Back-testing: a draft policy over the archived log of the households, before anybody is touched by it."""
