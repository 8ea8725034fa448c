"""Every alert of a finished demo comes out again, the same, when it is replayed from what lies in the archive."""

from pathlib import Path

import pytest

from lidm.explain_page import page
from lidm.explanation import explain
from lidm.settings import Settings
from sinks.household_log import extents
from sinks.reads import Filter, current_alerts, revisions
from tests.live.city import SIZE, demo_of, lidm, running

pytest.importorskip("chdb")


@pytest.mark.timeout(600)
def test_every_alert_of_a_city_comes_out_of_the_archive_again(tmp_path: Path) -> None:
    from sinks.embedded import EmbeddedStore

    with running(tmp_path, "demo", *SIZE, "--exit", "--json") as process:
        done = demo_of(process)
    assert done.code == 0, done.said[-2000:]
    store = EmbeddedStore(tmp_path / "store")
    policy = Settings(data_dir=tmp_path).policy_dir
    try:
        told = [each for newest in current_alerts(store, Filter(), 5000) for each in revisions(store, newest.alert_id)]
        assert len(told) >= 30
        assert all(each.whole for each in extents(store, told[0].household))
        wrong = {}
        for each in told:
            found = explain(store, each.alert_id, each.revision, policy)
            if found.verdict.same is not True:
                wrong[f"{each.detector} {each.alert_id} {each.revision}"] = found.verdict.why
            assert each.household not in page(found)
        assert wrong == {}
    finally:
        store.close()
    newest = told[0]
    code, out, err = lidm(tmp_path, "explain", newest.alert_id, "--replay")
    assert (code, "重放一致" in out) == (0, True), out + err
