"""The two ways a local stack disappoints: something is not installed, or a server does not come up."""


class Missing(Exception):
    """A program or download this machine lacks; the message says which and how to get it."""


class NotReady(Exception):
    """A server that was started does not answer, or answers no more; the message carries the end of its log."""
