"""Verdicts on scores: similar ones stay quiet, others do not, and nothing outlives its verdict."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.feedback import LEAST_EASE, MOST_MARGIN, NONE, adjust, because, false_alarm_ratio
from detectors.suppress import Suppression
from detectors.verdict import KindOfTime, Opinion, Verdict
from series import SeriesKey
from series.matcher import Matcher, parse_matchers

DAY = 86_400.0
KEYS = [SeriesKey({"job": job}) for job in ("api", "web", "batch")]
API = parse_matchers('{job="api"}')


def verdict(opinion=Opinion.FALSE, *, created=100.0, lasts=30 * DAY, **more):
    number = str(more.pop("number", 1))
    more = {"query": "rate", "matchers": API} | more
    return Verdict(id=number, opinion=Opinion(opinion), created=created, expires=created + lasts, **more)


def adjusted(scores, verdicts, times=None, **more):
    scores = np.atleast_2d(scores)
    keys = KEYS[: len(scores)]
    times = 200.0 + 60 * np.arange(scores.shape[1]) if times is None else np.asarray(times, dtype=float)
    return adjust(scores, keys, times, verdicts, query="rate", **more)


@pytest.mark.parametrize("size", [1.1, 3.0, 20.0, 100.0])
def test_after_one_false_verdict_a_similar_one_stays_quiet(size):
    scores = np.zeros((3, 200))
    scores[:, 50:60] = min(100.0, 1.1 * size)  # somewhat larger than the judged one
    result = adjusted(scores, [verdict(score=size)])
    alarms = Suppression().alarms(result.scores, 60)
    assert alarms.any(axis=1).tolist() == [False, True, True]
    assert result.reason[0, 55] == 0
    assert (result.reason[1:] == NONE).all()


def test_something_much_larger_still_calls():
    result = adjusted(np.full((1, 5), 9.0), [verdict(score=3.0)])
    assert (result.scores > 2).all()


def test_the_alarm_that_was_judged_ends():
    scores = np.full((1, 300), 5.0)
    result = adjusted(scores, [verdict(score=5.0, created=200 + 100 * 60)])
    alarms = Suppression().alarms(result.scores, 60)[0]
    assert alarms[:100][1:].all()
    assert not alarms[-1]


def test_it_fades_out_over_the_second_half_of_its_life():
    days = np.array([0.5, 14.0, 22.5, 29.9, 30.1])
    result = adjusted(np.full((1, 5), 4.0), [verdict(score=4.0, created=0.0)], days * DAY)
    assert result.scores[0, :2] == pytest.approx(4 / 5.2)
    assert result.scores[0, 2] == pytest.approx(4 / (1 + 4.2 / 2))
    assert result.scores[0, 3] > 3.8
    assert result.scores[0, 4] == 4.0


def test_no_verdict_acts_on_the_past():
    result = adjusted(np.full((1, 3), 4.0), [verdict(score=4.0, created=250.0)], [100, 200, 300])
    assert (result.scores[0] == 4.0).tolist() == [True, True, False]


def test_each_further_false_verdict_widens_the_margin_up_to_twice_the_size():
    thresholds = [
        4 / adjusted([[4.0]], [verdict(score=4.0, number=number) for number in range(count)]).scores[0, 0]
        for count in range(6)
    ]
    assert thresholds == pytest.approx([1, 5.2, 4 * 1.69, 8, 8, 8])


def test_a_verdict_on_one_side_leaves_the_other():
    scores, sides = np.full((1, 2), 3.0), np.array([[1.0, -1.0]])
    result = adjusted(scores, [verdict(score=3.0, side=1)], sides=sides)
    assert (result.scores[0] > 1).tolist() == [False, True]


def test_true_verdicts_make_a_little_more_sensitive():
    one = adjusted([[0.95]], [verdict("true", score=3.0)])
    assert one.scores[0, 0] > 1
    assert one.reason[0, 0] == 0
    many = adjusted([[0.8]], [verdict("true", score=3.0, number=number) for number in range(50)])
    assert many.scores[0, 0] == pytest.approx(0.8 / LEAST_EASE)


def test_a_later_true_verdict_takes_back_what_a_false_one_said():
    given = [verdict(score=6.0), verdict("true", score=3.0, created=150.0, number=2)]
    result = adjusted([[3.0]], given)
    assert result.scores[0, 0] > 1
    assert adjusted([[3.0]], given[:1]).scores[0, 0] < 1


def test_expected_holds_back_at_its_time_only():
    night = KindOfTime(start=2 * 3_600, end=4 * 3_600)
    result = adjusted(
        np.full((1, 3), 5.0), [verdict("expected", score=4.0, when=night)], [3 * 3_600, 5 * 3_600, 27 * 3_600]
    )
    assert result.scores[0].tolist() == [0.5, 5.0, 0.5]


def test_expected_is_bounded_by_the_size_where_it_is_known():
    known, unknown = verdict("expected", score=4.0), verdict("expected")
    assert adjusted([[9.0]], [known]).scores[0, 0] == 9.0
    assert adjusted([[9.0]], [unknown]).scores[0, 0] == 0.5


def test_other_queries_and_broad_scopes():
    broad = verdict(score=4.0, query="", matchers=parse_matchers('{job=~"api|web"}'))
    other = verdict(score=4.0, query="errors")
    assert (adjusted(np.full((3, 1), 4.0), [broad]).scores[:, 0] < 1).tolist() == [True, True, False]
    assert (adjusted(np.full((3, 1), 4.0), [other]).scores == 4.0).all()


opinions = st.sampled_from(list(Opinion))
verdicts = st.builds(
    verdict,
    opinions,
    created=st.floats(0, 5_000),
    lasts=st.floats(1, 20_000),
    score=st.none() | st.floats(0.5, 100),
    side=st.sampled_from([-1, 0, 1]),
    matchers=st.sampled_from([(), API, (Matcher("job", "!=", "web"),)]),
)
some_scores = st.lists(st.floats(0, 100) | st.just(np.nan), min_size=6, max_size=6)


@settings(max_examples=200, deadline=None)
@given(some_scores, st.lists(verdicts, max_size=4))
def test_what_verdicts_do_is_bounded_explained_and_reversible(scores, given_verdicts):
    scores = np.array(scores).reshape(3, 2)
    times = np.array([1_000.0, 8_000.0])
    before = scores.copy()
    result = adjust(scores, KEYS, times, given_verdicts, query="rate")
    np.testing.assert_array_equal(scores, before)
    np.testing.assert_array_equal(np.isnan(result.scores), np.isnan(scores))
    largest = max([2.0, *(each.score or 2.0 for each in given_verdicts)])
    known = ~np.isnan(scores)
    assert (result.scores[known] <= scores[known] / LEAST_EASE + 1e-9).all()
    held = any(each.opinion is Opinion.EXPECTED for each in given_verdicts)
    least = np.minimum(scores, 0.5) if held else scores
    assert (result.scores[known] >= least[known] / (MOST_MARGIN * largest) - 1e-9).all()
    np.testing.assert_array_equal(result.reason[known] == NONE, result.scores[known] == scores[known])
    for row, column in np.argwhere(result.reason != NONE):
        cause = given_verdicts[result.reason[row, column]]
        assert cause.created <= times[column] < cause.expires
        assert all(matcher.matches(KEYS[row].get(matcher.label)) for matcher in cause.matchers)
        assert cause.id in because(cause, scores[row, column], result.scores[row, column])
    np.testing.assert_array_equal(adjust(scores, KEYS, times, [], query="rate").scores, scores)


@settings(max_examples=100, deadline=None)
@given(some_scores, st.lists(verdicts, max_size=4))
def test_larger_scores_stay_larger_without_expected(scores, given_verdicts):
    given_verdicts = [each for each in given_verdicts if each.opinion is not Opinion.EXPECTED]
    scores = np.array(scores).reshape(3, 2)
    times = np.array([1_000.0, 8_000.0])
    once = adjust(scores, KEYS, times, given_verdicts).scores
    doubled = adjust(2 * scores, KEYS, times, given_verdicts).scores
    np.testing.assert_allclose(doubled, 2 * once)


def test_precision_with_its_interval():
    given_verdicts = [verdict("false", number=1), verdict("true", number=2), verdict("expected", number=3)]
    assert false_alarm_ratio(given_verdicts, "rate", now=200.0)[0] == 0.5
    assert false_alarm_ratio(given_verdicts, "rate", now=200.0).judged == 2
    assert false_alarm_ratio(given_verdicts, "errors", now=200.0) is None
    assert false_alarm_ratio(given_verdicts, "rate", now=50.0) is None
    assert false_alarm_ratio(given_verdicts, "rate", now=100 * DAY) is None


def test_wilsons_interval_against_the_book():
    many = [verdict("false" if number < 10 else "true", number=number) for number in range(50)]
    ratio = false_alarm_ratio(many, "rate", now=200.0)
    assert ratio == pytest.approx((0.2, 0.1124, 0.3304, 50), abs=5e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"query": "", "matchers": ()}, "must name a query or at least one matcher"),
        ({"lasts": 0.0}, "must expire within"),
        ({"lasts": 500 * DAY}, "must expire within 400 days"),
        ({"score": 0.0}, "score must be above 0"),
        ({"score": float("nan")}, "score must be above 0"),
        ({"side": 2}, "side must be"),
        ({"when": KindOfTime()}, "when must be left out"),
    ],
)
def test_bad_verdicts_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        verdict(**change)


@pytest.mark.parametrize("change", [{"weekdays": frozenset({7})}, {"start": DAY}, {"end": -1.0}, {"timezone": "Mars"}])
def test_bad_kinds_of_time_are_refused(change):
    with pytest.raises(ValueError, match="must be"):
        KindOfTime(**change)
