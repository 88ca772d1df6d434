"""An account of a judged step, as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from exporter.moments import written_moment

_WIDTH = 13


def as_text(found: dict[str, Any]) -> str:
    """Write what the API said for a person to read."""
    return "\n".join(f"{name:<{_WIDTH}}{said}".rstrip() for name, said in _lines(found))


def _lines(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    labels = ", ".join(f'{name}="{value}"' for name, value in found["series"].items())
    again = "" if found["judged"] == "live" else f" (judged {found['judged']})"
    yield "series", f"{found['query']}{{{labels}}}"
    yield "time", f"{written_moment(found['time'])}{again}"
    if (withdrawn := found["withdrawn"]) is not None:
        yield (
            "stale",
            f"the query gives no results any more; the last ones were withdrawn at {written_moment(withdrawn)}",
        )
    yield "why", found["why"]
    yield from _expected(found)
    for place, each in enumerate(found["detectors"]):
        verdict = "anomaly" if each["votes"] else "ordinary" if each["score"] is not None else "nothing to say"
        counts = f", counts {each['weight']:.2f} as learned" if each["weight"] != 1 else ""
        yield "" if place else "detectors", f"{each['name']:<16} {_number(each['score']):>8}  {verdict}{counts}"
    score = found["score"]
    changed = score["consensus"] != score["afterVerdicts"]
    after = f", {_number(score['afterVerdicts'])} after verdicts" if changed else ""
    yield "consensus", f"{_number(score['consensus'])}{after} (1 is the threshold)"
    if group := found["group"]:
        labels = ", ".join(f'{name}="{value}"' for name, value in group["labels"].items())
        share = "" if group["contribution"] is None else f", {group['contribution']:.0%} of it by this series"
        yield "group", f"{{{labels}}} scores {_number(group['score'])}{share}"
    if found["peers"]:
        yield from _peers(found["peers"])
    yield "held back", found["heldBack"] or "by nothing"
    yield "alarm", _alarm(found["alarm"])
    yield "severity", _severity(found["severity"])
    yield from _slow(found["slowChange"])
    if found["occasions"]:
        yield "occasions", ", ".join(found["occasions"])
    yield from _before(found)


def _expected(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    expected = found["expected"]
    yield "value", _number(found["value"])
    if found["warmingUp"] or expected["value"] is None:
        yield "expected", "nothing yet: the history is too short or too full of gaps"
        return
    band = f"{_number(expected['lower'])} to {_number(expected['upper'])}"
    season = ""
    if expected["season"] is not None:
        season = f": level {_number(expected['level'])}, time of day and week {expected['season']:+.4g}"
    yield "expected", f"{_number(expected['value'])}, band {band}{season}"
    if expected["learnedFrom"] is not None:
        yield "learned from", f"{written_moment(expected['learnedFrom'])} to {written_moment(expected['learnedUntil'])}"


def _peers(peers: dict[str, Any]) -> Iterator[tuple[str, str]]:
    band = f"{_number(peers['expectedLower'])} to {_number(peers['expectedUpper'])}"
    yield "peers", f"{peers['why']}; {band} would be usual beside them"
    after = "" if peers["score"] == peers["afterVerdicts"] else f", {_number(peers['afterVerdicts'])} after verdicts"
    alarm = f"in alarm since {written_moment(peers['since'])}" if peers["since"] is not None else "no alarm"
    held = f"; held back: {peers['heldBack']}" if peers["heldBack"] else ""
    yield "", f"score {_number(peers['score'])}{after} (1 is the threshold), {alarm}{held}"


def _slow(slow: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if slow["baselineSince"] is not None:
        changed = "" if slow["changedAt"] is None else ", the last jump detectors saw"
        yield "baseline", f"holds since {written_moment(slow['baselineSince'])}{changed}"
    if slow["driftScore"] is not None:
        yield "drift", f"{_number(slow['driftScore'])} (1 is the threshold)"


def _alarm(alarm: dict[str, Any]) -> str:
    above = f"{alarm['above']} of the last {alarm['within']} steps above 1"
    if not alarm["firing"]:
        return f"none; {above}, {alarm['hold']} are needed, or one above {alarm['atOnce']:g}"
    since = f"since {written_moment(alarm['since'])}" if alarm["since"] is not None else "now"
    ends = f"ends after {alarm['quietStepsToEnd']} quiet steps, {alarm['quietSteps']} so far"
    return f"{since}, peak {_number(alarm['peak'])}; {above}; {ends}"


def _severity(severity: dict[str, Any]) -> str:
    points = " + ".join(f"{name} {value:.2g}" for name, value in severity["points"].items() if value)
    return f"{severity['level']} {severity['name']}" + (f" ({points})" if points else "")


def _before(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    count, days = found["timesBefore"]["count"], found["timesBefore"]["days"]
    last = f", last {written_moment(found['earlierAlarms'][-1])}" if found["earlierAlarms"] else ""
    yield "before", f"{count} alarms in {days} days{last}"
    for place, each in enumerate(found["nearestExamples"]):
        yield "" if place else "alike", f"{written_moment(each['time'])}, distance {each['distance']:.2g}"


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"
