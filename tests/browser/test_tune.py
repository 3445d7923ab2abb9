"""The tabs "Compare" and "Fine-tune" in a real browser: two policies side by side, a short run watched to its end."""

import re
import shutil
import uuid
from pathlib import Path

import pytest

from posegen.ui.policies import RUNS

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(1200)]
COMPARE_TAB, TUNE_TAB = ("button[role=tab]:has-text('Compare')", "button[role=tab]:has-text('Fine-tune')")
MILLISECONDS = 420_000  # loading a policy, or trying a step, on a busy machine


@pytest.fixture
def run_name():
    """The name of a run that is removed afterwards."""
    name = f"browser-{uuid.uuid4().hex[:8]}"
    yield name
    shutil.rmtree(RUNS / name, ignore_errors=True)


def alert(page) -> str:
    page.wait_for_selector(".notice [role=alert]:visible")
    return page.inner_text(".notice [role=alert]:visible")


def choose(page, where: str, label: str) -> None:
    page.click(f"{where} input")
    page.click(f"[role=option]:has-text('{label}')")


def until_compared(page, title: str) -> None:
    page.wait_for_selector(f"h3:has-text('{title}'):visible", timeout=MILLISECONDS)


def test_two_policies_answer_side_by_side(page):
    page.click(COMPARE_TAB)
    page.wait_for_selector("#held table", timeout=MILLISECONDS)  # whoever opens the tab sees an example
    until_compared(page, "A: assets/stage1")
    for side in "ab":
        assert page.locator(f"#gallery-{side} img").count() == 4
    before = page.eval_on_selector_all("#gallery-a img, #gallery-b img", "images => images.map(i => i.src)")
    assert len(set(before)) == 8
    figures = page.inner_text("#figures")  # the evaluation's table, unguided and guided, before and after
    table = (ROOT / "docs" / "ABLATIONS.md").read_text().partition("## Three seeds")[2]
    stage1, shipped = (re.search(rf"^\| {row} \|.*$", table, re.MULTILINE)[0] for row in ("stage 1", "shipped"))
    numbers = [number for row in (stage1, shipped) for number in re.findall(r"\| (\d+\.\d+)", row)]
    assert len(numbers) >= 10 and all(number in figures for number in numbers)

    choose(page, "#policy-a", "assets/policy")  # a policy and itself: the same prompt and seed, so the same poses
    page.fill("#compare-prompt textarea", "kneeling with both arms raised")
    page.click("#compare")
    until_compared(page, "A: assets/policy")
    rows = [row.locator("td").all_inner_texts() for row in page.locator("#held tbody tr").all()]
    assert len(rows) >= 4 and all(a == b for a, b in rows[:-1]) and "of 4" in rows[0][0]
    a, b = (
        page.evaluate(
            """async side => { const images = [...document.querySelectorAll(`#gallery-${side} img`)];
            return Promise.all(images.map(async i => (await (await fetch(i.src)).arrayBuffer()).byteLength)) }""",
            side,
        )
        for side in "ab"
    )
    assert a == b and not page.outside

    page.fill("#compare-prompt textarea", "человек сидит на стуле")
    page.click("#compare")
    assert "English" in alert(page)


def test_a_run_is_watched_stopped_resumed_and_listed(page, run_name):
    page.click(TUNE_TAB)
    assert "GB of memory" in page.inner_text("#estimate")
    page.fill("#run-name input", "../outside")
    page.click("#start-run")
    assert "letters, digits" in alert(page)

    page.fill("#steps input[type=number]", "400")
    page.fill("#run-name input", run_name)
    page.click("#start-run")
    page.wait_for_selector("#run-status [data-state=going]")
    page.wait_for_selector("#run-status :text('s a step')", timeout=MILLISECONDS)
    page.wait_for_selector("#kl-curve .marks, #kl-curve canvas, #kl-curve svg path")
    page.click("#stop-run")
    page.wait_for_selector("#run-status [data-state=stopped]", timeout=MILLISECONDS)
    done = int(page.inner_text("#run-status [data-state=stopped]").split("step ")[1].split()[0])

    page.fill("#steps input[type=number]", str(done + 3))
    page.click("#resume-run")
    page.wait_for_selector("#run-status [data-state=going]")
    page.click("button[role=tab]:has-text('Words')")  # the page stays alive meanwhile
    page.fill("#prompt textarea", "a lunge")
    page.click("#generate")
    page.wait_for_function("document.querySelector('.poses img').src.includes('lunge')", timeout=MILLISECONDS)
    page.click(TUNE_TAB)
    page.wait_for_selector("#run-status [data-state=finished]", timeout=MILLISECONDS)
    assert f"Finished: {done + 3} steps" in page.inner_text("#run-status")
    assert page.locator("#run-figures td").count() >= 6  # evaluated at its start and its end

    page.click("#before-after")
    page.wait_for_function("document.querySelectorAll('#pairs img').length == 8", timeout=MILLISECONDS)
    assert "seed 0" in page.inner_text("#pairs-title")
    page.click(COMPARE_TAB)
    page.wait_for_selector("#held table", timeout=MILLISECONDS)
    choose(page, "#policy-b", f"runs/{run_name}")
    page.click("#compare")
    until_compared(page, f"B: runs/{run_name}")
    assert not page.outside


@pytest.mark.parametrize("page", [(390, "light"), (390, "dark")], indirect=True)
def test_both_tabs_fit_a_phone(page):
    for tab, shown in ((COMPARE_TAB, "#held table"), (TUNE_TAB, "#start-run")):
        page.click(tab)
        page.wait_for_selector(shown, timeout=MILLISECONDS)
        page.wait_for_timeout(500)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
