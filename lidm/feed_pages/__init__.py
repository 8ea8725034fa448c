"""A Chinese page per feed and an index, made from models, catalogue, examples and what the service really answers."""
