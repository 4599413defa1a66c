"""The page "Quality" after a learning run: its pictures are whole, legible and said in words."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Site

pytestmark = pytest.mark.browser

LEARNED = """
from django.utils import timezone
from learning.models import LearningRun
from library.models import Chunk, Library

library = Library.objects.get(name="Demo")
quality = lambda *values: {d: {"ndcg_at_10": v} for d, v in zip((64, 128, 256, 512), values)}
curve = {w / 10: 0.3 + w / 100 for w in range(11)}
for before, after, better in ((0.137, 0.139, False), (0.137, 0.184, True)):
    LearningRun.objects.create(
        library=library, state="done", chunks=100, finished_at=timezone.now(),
        report={
            "before": quality(0.09, 0.11, 0.13, before), "after": quality(0.12, 0.15, 0.17, after),
            "better": better, "reason": "It ranks no better.",
            "training_pairs": 16215, "held_out_pairs": 1302,
            "fusion": [
                {"script": "spaced", "weight": 0.62, "prior": 0.6, "queries": 181, "curve": curve},
                {"script": "cjk", "weight": 0.95, "prior": 0.95, "queries": 90, "curve": curve},
            ],
            "examples": [
                {"query": "pumps in stock", "before": 2382, "after": 9, "chunk": str(chunk.pk)}
                for chunk in Chunk.objects.filter(document__library=library)[:4]
            ],
        },
    )
"""
SHAPES = {
    "desk": {},
    "dark": {"color_scheme": "dark"},
    "phone": PHONE,
    "small and dark": PHONE | {"width": 320, "color_scheme": "dark"},
}
# Texts of the pictures that are cut off, lie on each other, or hardly differ from the page.
FAULTS = """() => {
  const faults = [];
  const light = (color) => {
    const linear = (v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = color.match(/[\\d.]+/g).map((v) => linear(v / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paper = light(getComputedStyle(document.body).backgroundColor);
  for (const picture of document.querySelectorAll("svg.picture")) {
    const frame = picture.getBoundingClientRect();
    const texts = [...picture.querySelectorAll("text")].map((text) => [text, text.getBoundingClientRect()]);
    texts.forEach(([text, box], number) => {
      const beside = Math.max(frame.left - box.left, box.right - frame.right);
      if (Math.max(beside, frame.top - box.top, box.bottom - frame.bottom) > 2)
        faults.push(`cut off: ${text.textContent}`);
      const [low, high] = [light(getComputedStyle(text).fill), paper].sort((a, b) => a - b);
      if ((high + 0.05) / (low + 0.05) < 4.5) faults.push(`faint: ${text.textContent}`);
      for (const [other, place] of texts.slice(number + 1)) {
        const across = Math.min(box.right, place.right) - Math.max(box.left, place.left);
        const down = Math.min(box.bottom, place.bottom) - Math.max(box.top, place.top);
        if (across > 1 && down > 5) faults.push(`${text.textContent} lies on ${other.textContent}`);
      }
    });
  }
  return faults;
}"""


@pytest.fixture(scope="module")
def learned(demo: Site) -> Site:
    demo.shell(LEARNED)
    return demo


def quality_page(site: Site, shape: str) -> Page:
    page = site.visit("admin", **SHAPES[shape])  # type: ignore[arg-type]
    page.goto("/quality/")
    return page


@pytest.mark.parametrize("shape", SHAPES)
def test_pictures_should_be_whole_and_legible(learned: Site, shape: str) -> None:
    page = quality_page(learned, shape)
    assert page.locator("svg.picture").count() >= 6
    assert page.evaluate(FAULTS) == []
    width = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(width) == 0


def test_pictures_should_be_said_in_words_and_opened_as_tables_by_keyboard(learned: Site) -> None:
    page = quality_page(learned, "desk")
    curves = page.get_by_role("img", name=re.compile("number of dimensions.*Before: 0.090, 0.110"))
    expect(curves).to_be_visible()
    for picture in page.locator("svg.picture").all():
        expect(picture).to_have_role("img")
        assert picture.locator("title").text_content()
        assert picture.locator("desc").text_content()
    table = page.locator("figure", has=curves).locator("summary")
    table.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("row", name="512 0.137 0.184")).to_be_visible()
