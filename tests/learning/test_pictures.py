from __future__ import annotations

import pytest

from learning import pictures


def test_curves_should_rise_with_quality_and_compare_common_dimensions_only() -> None:
    drawn = pictures.curves({64: 0.2, 128: 0.3, 512: 0.4}, {128: 0.4, 512: 0.5})
    assert drawn
    before, after = drawn.lines
    assert [tick.text for tick in drawn.x_ticks] == ["128", "512"]
    assert drawn.table == [("128", "0.300", "0.400"), ("512", "0.400", "0.500")]
    assert before.points[0].x < before.points[1].x
    assert all(a.y < b.y for a, b in zip(after.points, before.points, strict=True))  # y grows downwards


def test_curves_should_stay_inside_the_plot_at_the_ends_of_the_scale() -> None:
    drawn = pictures.curves({64: 0.0, 128: 1.0}, {64: 0.0, 128: 1.0})
    assert drawn
    marks = [mark for line in drawn.lines for mark in line.points]
    assert {mark.y for mark in marks} == {pictures.TOP, pictures.BOTTOM}


@pytest.mark.parametrize("after", [0.4, 0.401, 0.399, 0.9])
def test_names_of_lines_should_never_lie_on_each_other(after: float) -> None:
    drawn = pictures.curves({512: 0.4}, {512: after})
    assert drawn
    ys = [line.label_y for line in drawn.lines]
    assert abs(ys[0] - ys[1]) >= 2 * pictures.LABEL_HEIGHT
    assert all(pictures.TOP <= y <= pictures.BOTTOM for y in ys)


def test_nothing_should_be_drawn_where_nothing_was_measured() -> None:
    assert pictures.curves({}, {}) is None
    assert pictures.curves({64: 0.1}, {128: 0.1}) is None
    assert pictures.valley({0.5: 0.3}, 0.5, 0.5) is None


def test_runs_should_stand_in_rows_with_better_ones_farther_right() -> None:
    drawn = pictures.rows([("2 Jan", 0.3, 0.4, True), ("1 Jan", 0.3, 0.25, False)])
    new, old = drawn.rows
    assert new.y < old.y < drawn.height
    assert new.before.x == old.before.x and new.after.x > new.before.x > old.after.x
    assert (new.kept, old.kept) == (True, False)


def test_the_chosen_weight_should_lie_on_the_curve_between_measured_ones() -> None:
    drawn = pictures.valley({0.0: 0.2, 0.5: 0.6, 1.0: 0.4}, 0.25, 0.5)
    assert drawn
    points = [tuple(map(float, point.split(","))) for point in drawn.path.split()]
    assert drawn.chosen.y == pytest.approx((points[0][1] + points[1][1]) / 2, abs=0.1)
    assert points[0][0] < drawn.chosen.x < drawn.prior.x == points[1][0]
    assert (drawn.chosen.text, drawn.prior.text) == ("25%", "50%")


def test_shares_should_split_the_bar_by_the_weight_of_words() -> None:
    (share,) = pictures.shares({"Languages with spaces": 0.25})
    assert (share.split, share.words, share.meaning) == (pictures.WIDTH / 4, 25, 75)
