"""The facts of a household as they are kept: of one natural key the highest version, by person, in order of days."""

from households.coverage import Coverage
from households.overruled import newer
from households.pages import Pages, insert, place
from households.queries import _PAGE_OF, Queries, page_of
from households.state import Head, Page, Shift
from schemas.facts import AnyFact, Fact, Refund


class FactStore(Queries):
    """The keeping side of `Household`.

    `dirty_head`: the head may say something new; whoever changes it sets this. `dirty_pages`: facts came or went.
    """

    __slots__ = ("dirty_head", "dirty_pages")

    def __init__(
        self,
        household: str,
        head: Head | None = None,
        pages: Pages | None = None,
        coverage: Coverage | None = None,
    ) -> None:
        super().__init__(household, head or Head(), pages or Pages(), coverage or Coverage())
        self.dirty_head = False
        self.dirty_pages: dict[str, None] = {}

    def clean(self) -> None:
        """Everything is written."""
        self.dirty_head = False
        self.dirty_pages.clear()

    def merge(self, person: str, fact: AnyFact) -> AnyFact | None:
        """Keep the higher version. Returns the loser: None when the key is new, `fact` when it changes nothing."""
        old = self._known(person, fact)
        if old is not None:
            if not newer(fact, old):
                return fact
            self._remove(person, old)
        if fact.paged:
            self._put(person, fact)
        else:
            insert(self.head.lasting, person, fact)
            self.dirty_head = True
            self.answers = None
        return old

    def _put(self, person: str, fact: AnyFact) -> None:
        day = fact.day
        name = _PAGE_OF.get(day) or page_of(day)
        page = self.pages.append(name, person, fact)
        if page is not None:
            insert(page, person, fact)
        self.dirty_pages[name] = None
        if self.page_memo:
            self.page_memo.pop(name, None)
        totals = self.totals
        for total in totals:
            if name >= total.oldest:
                totals[total] += total.measure(fact)
        if self._refunds is not None and fact.__class__ is Refund:
            self._refunds = None
        if self._overruled:
            self._overruled.pop(fact.__class__, None)
        if self.answers is not None and not self.answers.stand(fact):
            self.answers = None

    def _remove(self, person: str, fact: AnyFact) -> None:
        if fact.paged:
            name = page_of(fact.day)
            self.pages.cut(name, person, fact)
            self.dirty_pages[name] = None
            self.page_memo.pop(name, None)
            self.totals.clear()
            self.answers = None
            return
        facts = self.head.lasting[person]
        facts[:] = [each for each in facts if each is not fact]
        if not facts:
            del self.head.lasting[person]

    def _known(self, person: str, fact: AnyFact) -> AnyFact | None:
        """What stands for the natural key of a fact. Pages without the key in their bytes are not decoded."""
        kind, key = fact.__class__, fact.key
        if not kind.paged:
            return _find(self.head.lasting, person, kind, key)
        for name in self.pages.holding(key):
            found = _find(self.pages[name], person, kind, key)
            if found is not None:
                return found
        return None

    def contested(self, fact: AnyFact) -> bool:
        """Whether records of several people here are about this one thing, so that only the newest counts."""
        return any(key == fact.key for _, key in self.overruled(fact.__class__))

    def held(self, person: str) -> list[AnyFact]:
        """Every fact of a person kept here, whether or not it belongs here, in order and as it was told."""
        found = [fact for page in (*self.pages.values(), self.head.lasting) for fact in page.get(person, ())]
        return sorted(found, key=place)

    def winner(self, person: str, fact: AnyFact) -> AnyFact:
        """The version that stands for the key of a fact that was merged."""
        return self._known(person, fact) or fact

    def note_shift(self, person: str, fact: AnyFact, loser: AnyFact) -> bool:
        """Remember the day of a record that lost against one of another day. Whether this is news."""
        if self.winner(person, fact).day == loser.day:
            return False
        shift = Shift(loser.feed, loser.key, loser.day)
        known = self.head.shifted.get(person, [])
        if shift in known:
            return False
        self.head.shifted[person] = sorted([*known, shift])
        self.dirty_head = True
        return True

    def days(self, person: str, fact: AnyFact) -> tuple[int, ...]:
        """Every day a fact was ever told for, its own first."""
        shifts = self.head.shifted.get(person, ())
        return (fact.day, *(each.day for each in shifts if (each.feed, each.key) == (fact.feed, fact.key)))


def _find(page: Page, person: str, kind: type[Fact], key: str) -> AnyFact | None:
    for fact in page.get(person, ()):
        if fact.key == key and fact.__class__ is kind:
            return fact
    return None
