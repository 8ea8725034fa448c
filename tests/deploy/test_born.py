"""A pid means a process only together with its birth."""

import os
import subprocess

from deploy.born import birth_of, lives


def test_a_process_is_told_from_another_that_got_its_pid() -> None:
    mine = birth_of(os.getpid())
    assert mine is not None
    assert lives(os.getpid(), mine)
    assert not lives(os.getpid(), mine + "0")
    assert lives(os.getpid(), None)


def test_a_killed_process_is_dead_even_before_anybody_collects_it() -> None:
    child = subprocess.Popen(["sleep", "60"])
    born = birth_of(child.pid)
    assert lives(child.pid, born)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not lives(child.pid, born)
    child.wait()
    assert birth_of(child.pid) is None
    assert not lives(child.pid, born)
    assert not lives(child.pid, None)
