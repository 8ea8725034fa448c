"""A plugin of pytest: a fault is noticed by the first example that shows it, nobody reads the smallest one."""

from hypothesis import Phase, settings

settings.register_profile("unshrunk", derandomize=True, database=None, phases=(Phase.explicit, Phase.generate))
settings.load_profile("unshrunk")
