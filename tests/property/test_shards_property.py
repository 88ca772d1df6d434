"""Shards together are the whole page, whatever the series are called and however many pages there are."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from exporter import metrics
from exporter.exposition import Lines
from exporter.page import Block, ResultPage
from exporter.results import Column, Results
from series import SeriesKey

LABELS = st.dictionaries(st.sampled_from(["__name__", "job", "query", "metric"]), st.text(max_size=5), max_size=3)
KEYS = st.lists(LABELS.map(SeriesKey), unique=True, max_size=60).map(tuple)
VALUES = st.lists(st.sampled_from([0.5, -1.0, float("nan")]), min_size=60, max_size=60).map(np.array)
SHARDS = st.integers(1, 9)


def results(query, keys, values):
    some = values[: len(keys)]
    ahead = [Column(metrics.FORECAST, some, {"horizon": horizon}) for horizon in ("1h", "1d")]
    return Results(
        query, keys, (Column(metrics.VALUE, some), Column(metrics.EXPECTED, some[::-1]), *ahead), expires=9.0
    )


def published(shards, *several):
    page = ResultPage(lambda: 0.0, shards)
    for one in several:
        page.publish(one.query, Block.of(one, Lines(one.query, shards)))
    return page


def samples(text: bytes):
    return [
        (sample.name, frozenset(sample.labels.items()), sample.value)
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    ]


@given(KEYS, KEYS, VALUES, SHARDS)
def test_all_shards_together_are_the_page(first, second, values, shards):
    page = published(shards, results("one", first, values), results("two", second, values))
    whole = samples(page.body())
    divided = [sample for shard in range(shards) for sample in samples(page.body(shard))]
    assert Counter(divided) == Counter(whole)
    assert set(Counter((name, labels) for name, labels, _ in whole).values()) <= {1}
    assert Counter(whole) == Counter(samples(published(1, *both(first, second, values)).body()))
    assert sum(page.sizes()) == sum(len(page.body(shard)) for shard in range(shards))


def both(first, second, values):
    return results("one", first, values), results("two", second, values)


@given(KEYS, st.data(), SHARDS)
def test_a_series_keeps_its_shard_and_has_all_its_results_there(keys, data, shards):
    others = data.draw(st.permutations(keys).flatmap(lambda some: st.integers(0, len(some)).map(lambda n: some[:n])))
    values = np.ones(60)
    before, after = (published(shards, results("q", tuple(some), values)) for some in (keys, others))
    home = {labels: shard for shard in range(shards) for labels in series_of(before.body(shard))}
    for shard in range(shards):
        for labels in series_of(after.body(shard)):
            assert home[labels] == shard
    counts = Counter(labels for shard in range(shards) for labels in series_of(before.body(shard)))
    assert set(counts.values()) <= {1}


def series_of(text: bytes):
    return {frozenset(pair for pair in labels if pair[0] != "horizon") for _, labels, _ in samples(text)}
