"""The first order and the reranked one that replaces it: nothing jumps, and nobody loses their place."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import PHONE, Site

pytestmark = pytest.mark.browser

Watch = Callable[[Page], Page]
BEST = re.compile("stage=best")
QUESTION = "how many days of leave do I have"
NUMBERS = itertools.count(1)
WATCH = """() => {
  window.shifts = []; window.transitions = 0;
  const note = (list) => window.shifts.push(...list.getEntries().map((shift) => shift.value));
  new PerformanceObserver(note).observe({type: "layout-shift"});
  const start = document.startViewTransition.bind(document);
  document.startViewTransition = (update) => { window.transitions += 1; return start(update); };
}"""


@dataclass
class Search:
    """A search whose reranked order is held back until `release`.

    Each asks something new: what was reranked before comes in its last order at once.
    """

    page: Page
    held: list[Route] = field(default_factory=list)

    def ask(self) -> None:
        self.hold(lambda: self._type(QUESTION + "?" * next(NUMBERS)))
        expect(self.following).to_have_count(1)
        self.page.evaluate(WATCH)

    def hold(self, act: Callable[[], None]) -> None:
        """Do something that asks for the reranked order, and keep it from the server."""
        self.page.route(BEST, self._keep)
        with self.page.expect_request(BEST):
            act()

    def _type(self, question: str) -> None:
        self.page.get_by_role("searchbox").fill(question)
        self.page.keyboard.press("Enter")

    def _keep(self, route: Route) -> None:
        self.held.append(route)

    @property
    def following(self) -> Locator:
        """What asks for the reranked order, and is gone when that is there."""
        return self.page.locator("#reranking")

    def focused(self, property: str = "id") -> str:
        return str(self.page.evaluate(f"document.activeElement.{property}"))

    def release(self) -> None:
        self.held.pop().continue_()
        expect(self.following).to_have_count(0)

    def jump(self) -> float:
        """What moved without an animation; asked once the transition is over."""
        self.page.wait_for_function("() => !document.getAnimations().length")
        return float(self.page.evaluate("window.shifts.reduce((sum, shift) => sum + shift, 0)"))


@pytest.mark.parametrize("shape", [{}, PHONE], ids=["desk", "phone"])
def test_the_reranked_order_should_glide_in_without_a_jump(
    demo: Site, errors: Watch, shape: dict[str, object]
) -> None:
    search = Search(errors(demo.visit("admin", **shape)))  # type: ignore[arg-type]
    search.ask()
    groups = search.page.locator(".group")
    assert groups.count() > 3
    search.release()
    assert search.jump() == 0
    assert search.page.evaluate("window.transitions") == 1
    named = "groups => groups.every((group) => group.style.viewTransitionName === group.id)"
    assert groups.evaluate_all(named)
    assert search.focused() == "q"


def test_who_dislikes_motion_should_see_none(demo: Site) -> None:
    search = Search(demo.visit("admin", reduced_motion="reduce"))
    search.ask()
    search.release()
    assert search.page.evaluate("window.transitions") == 0


@pytest.mark.parametrize(
    "place", [".hit >> nth=1", ".facets a >> nth=2", ".pager a >> nth=1", ".also .hit >> nth=0"]
)
def test_focus_and_scroll_should_stay_where_they_are(demo: Site, errors: Watch, place: str) -> None:
    search = Search(errors(demo.visit("admin")))
    search.ask()
    search.page.locator(place).focus()
    before, top = search.focused(), search.focused("getBoundingClientRect().top")
    search.release()
    search.jump()
    assert before and search.focused() == before
    shown = float(search.focused("getBoundingClientRect().top"))
    assert 0 <= shown < 800
    if "pager" not in place:  # the page may have become shorter above it
        assert search.page.evaluate("scrollY") == 0 or abs(shown - float(top)) <= 1


def test_focus_should_stay_in_the_results_when_its_link_is_gone(demo: Site, errors: Watch) -> None:
    page = errors(demo.visit("admin"))
    page.goto(f"/?q={QUESTION}&type=docx")
    link = page.get_by_role("link", name="Remove the filter DOCX")
    link.focus()
    page.keyboard.press("Enter")
    expect(link).to_have_count(0)
    expect(page.locator("#results")).to_be_focused()


def test_what_was_unfolded_should_stay_unfolded(demo: Site, errors: Watch) -> None:
    search = Search(errors(demo.visit("admin")))
    search.ask()
    search.page.locator(".rest summary").first.click()
    before = search.focused()
    search.release()
    assert before and search.focused() == before
    expect(search.page.locator(".rest[open]")).to_have_count(1)


@pytest.mark.parametrize("failure", ["no connection", "500", "503"])
def test_the_first_order_should_stay_when_the_reranked_one_does_not_come(demo: Site, failure: str) -> None:
    search = Search(demo.visit("admin"))
    search.ask()
    titles = search.page.locator(".group h2").all_inner_texts()
    if failure == "no connection":
        search.held.pop().abort()
    else:
        search.held.pop().fulfill(status=int(failure), body="<h1>away</h1>")
    expect(search.following).to_have_count(0)
    assert search.page.locator(".group h2").all_inner_texts() == titles
    expect(search.page.locator("#trouble")).to_be_hidden()
    assert search.jump() == 0


def test_what_was_reranked_should_come_in_its_last_order_at_once(demo: Site, errors: Watch) -> None:
    search = Search(errors(demo.visit("admin")))
    search.ask()
    search.release()
    titles = search.page.locator(".group h2").all_inner_texts()
    asked = search.page.get_by_role("searchbox").input_value()
    search.page.goto("/libraries/")
    search.page.unroute(BEST)
    search.page.route(BEST, lambda route: route.abort())  # none is needed
    search.page.go_back()
    expect(search.page.locator(".group").first).to_be_visible()
    expect(search.following).to_have_count(0)
    assert search.page.locator(".group h2").all_inner_texts() == titles
    search.page.goto("/")
    search._type(asked)
    expect(search.page.locator(".group").first).to_be_visible()
    expect(search.following).to_have_count(0)
    assert search.page.locator(".group h2").all_inner_texts() == titles


def test_a_suggested_question_should_show_its_first_order_at_once(demo: Site, errors: Watch) -> None:
    search = Search(errors(demo.visit("admin")))
    asked = "How long do I have to hand in a receipt?"
    search.hold(search.page.get_by_role("link", name=asked).click)
    expect(search.following).to_have_count(1)
    expect(search.page.get_by_role("searchbox")).to_have_value(asked)
    search.release()
