"""Milliseconds of the search page over HTTP, over the demo's questions.

QUARRY_ADMIN_PASSWORD=PASSWORD make run        (an empty QUARRY_DATA; wait until the demo is ready)
.venv/bin/python -m evaluation.benchmarks.pages http://127.0.0.1:8000 PASSWORD
"""

from __future__ import annotations

import json
import re
import sys
import time
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

import numpy as np

QUESTIONS = Path(__file__).resolve().parents[1] / "demo" / "questions.json"
ROUNDS = 3
STAGES = {"as you type": "typing", "first order": "first", "reranked": "best"}


def main(address: str, password: str) -> None:
    browser = build_opener(HTTPCookieProcessor(CookieJar()))
    _sign_in(browser, address, password)
    questions = [entry["question"] for entry in json.loads(QUESTIONS.read_text(encoding="utf-8"))]
    for name, stage in STAGES.items():
        urls = [f"{address}/?{urlencode({'q': question, 'stage': stage})}" for question in questions]
        for url in urls:
            _milliseconds(browser, url)  # warm
        spent = [_milliseconds(browser, url) for _ in range(ROUNDS) for url in urls]
        print(f"{name:<12} p50 {np.percentile(spent, 50):5.0f} ms   p95 {np.percentile(spent, 95):5.0f} ms")


def _sign_in(browser: OpenerDirector, address: str, password: str) -> None:
    page = browser.open(f"{address}/login/").read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token, "no sign-in form"
    form = {"username": "admin", "password": password, "csrfmiddlewaretoken": token.group(1)}
    browser.open(Request(f"{address}/login/", urlencode(form).encode(), {"Referer": f"{address}/login/"}))


def _milliseconds(browser: OpenerDirector, url: str) -> float:
    started = time.perf_counter()
    browser.open(Request(url, headers={"HX-Request": "true"})).read()
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main(*sys.argv[1:])
