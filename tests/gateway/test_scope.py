"""Who is watched at the gateway, and for how long."""

from datetime import date, timedelta
from pathlib import Path

from gateway.events import Parsed
from gateway.scope import Scope, Watched

KIND = "medical.settlement"


def test_what_follows_lengthens_the_watch(tmp_path: Path) -> None:
    """As in intake, where a provisional household lives until 24 months after the last fact."""
    first = date(2026, 5, 18)
    with Watched(tmp_path / "watched.sqlite") as watched:
        watched.watch("p_1", first)
        scope = Scope(KIND, lambda person: False, watched)
        for days in (0, 400, 800, 1_200):
            day = (first + timedelta(days=days)).isoformat()
            assert scope(fact(day)), days
        assert not scope(fact((first + timedelta(days=2_000)).isoformat()))


def test_who_was_ever_watched_or_remembered_is_met_for_good(tmp_path: Path) -> None:
    first = date(2026, 5, 18)
    with Watched(tmp_path / "watched.sqlite") as watched:
        watched.watch("p_1", first)
        watched.remember({"p_2", "p_3"})
        watched.remember({"p_3"})
        assert [watched.met(f"p_{n}") for n in range(1, 5)] == [True, True, True, False]
        assert not watched.knows("p_2", first)  # known elsewhere is no reason to let facts pass here
        assert not watched.knows("p_1", first + timedelta(days=2_000))
    with Watched(tmp_path / "watched.sqlite") as again:
        assert again.met("p_3")


def fact(day: str) -> Parsed:
    return Parsed(1, "p_1", b"{}", day)


def test_who_is_registered_later_passes_from_then_on() -> None:
    """The scope of a sealed topic lives as long as the gateway's connection."""
    register: set[str] = set()
    scope = Scope(KIND, register.__contains__)
    assert not scope(fact("2026-05-18"))
    register.add("p_1")
    assert scope(fact("2026-05-18"))
