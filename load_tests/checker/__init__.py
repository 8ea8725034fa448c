"""A second opinion: the rules worked out again from the departments' raw events, columnar, with nothing of the service.

Written from the published rules (docs/rules.md, the feeds' field texts, the parameter files) and read by nobody else.
Nothing here imports a room of the service; a contract in pyproject.toml says so.
"""
