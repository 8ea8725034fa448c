"""One error class per reaction: what is raised says what happens next. Messages are Chinese and never carry a value."""


class LidmError(Exception):
    """Base of every error with a planned reaction; `message_zh` may be shown to anybody."""

    exit_code = 1

    def __init__(self, message_zh: str) -> None:
        super().__init__(message_zh)
        self.message_zh = message_zh


class Reject(LidmError):
    """The input goes to the dead letters with `code` and `pointer`; its neighbours go on."""

    def __init__(self, code: str, pointer: str, message_zh: str) -> None:
        super().__init__(message_zh)
        self.code = code
        self.pointer = pointer


class Retry(LidmError):
    """Something outside is away for a moment: seek back, wait, do it again, never skip."""

    exit_code = 3


class DataError(LidmError):
    """Exit 1: the data handed to a command is wrong."""

    exit_code = 1


class CallError(LidmError):
    """Exit 2: the command was called wrongly."""

    exit_code = 2


class Unreachable(LidmError):
    """Exit 3: a service (broker, store, running instance) cannot be reached."""

    exit_code = 3


class Stop(LidmError):
    """Exit 4: going on would break a guarantee, so the process stops."""

    exit_code = 4
