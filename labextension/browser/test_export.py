"""People's ways through the export, in JupyterLab and Notebook 7, in a real browser against real servers."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import psutil
import pytest
from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as NotInTime

from conftest import PYTHON, example, files, write_notebook
from served import BUTTON, Served, open_notebook

Shot = Callable[[str], None]
GATE = """import os, time
while not os.path.exists(os.path.join(os.environ["GATES"], "{0}")):
    time.sleep(0.1)
print("open")"""
"""A cell that ends once the test makes this file in the server's `gates`."""
LONG = 400_000
"""Milliseconds for what runs notebooks and pipelines."""
MOMENT = 3_000
"""Milliseconds after which people try again."""


@pytest.fixture(params=["lab", "notebook7"])
def server(request: pytest.FixtureRequest) -> Served:
    found: Served = request.getfixturevalue(request.param)
    return found


def sheet(page: Page) -> None:
    """Press the button and wait for the preview."""
    page.locator(BUTTON).click()
    page.locator(".nb2pkg-section").first.wait_for()


def settled(page: Page) -> None:
    """Wait until the plan is the one of what is chosen; the dialog is busy from the very event that asks for it."""
    expect(page.locator(".nb2pkg-body[aria-busy=false]")).to_be_visible()


def choose(page: Page, opener: Locator, item: str, **click: Any) -> None:
    """Open a menu and choose from it; a menu that opened before the item was added is opened again."""
    found = page.get_by_role("menuitem", name=item)
    again(lambda: opener.click(**click), found, back=lambda: page.keyboard.press("Escape"))
    found.click()


def menu(page: Page, name: str, item: str) -> None:
    """Choose from the menu bar."""
    choose(page, page.get_by_role("menuitem", name=name, exact=True), item)


def palette(page: Page) -> None:
    """Choose the export in the command palette, by keyboard. The palette closes whenever a command runs, one of
    Jupyter's own too, as when a kernel connects; then it is opened again."""
    field = page.locator(".lm-CommandPalette-input")
    wanted = page.locator(".lm-CommandPalette-item.lm-mod-active", has_text="Export as Package")

    def search() -> None:
        page.keyboard.press("Control+Shift+c")
        with contextlib.suppress(NotInTime):
            field.fill("export as package", timeout=MOMENT)

    again(search, wanted)
    page.keyboard.press("Enter")


def again(
    act: Callable[[], None],
    goal: Locator,
    state: Literal["visible", "detached"] = "visible",
    back: Callable[[], None] = lambda: None,
) -> None:
    """Do something until it does what it should, as people do."""
    for _ in range(20):
        act()
        with contextlib.suppress(NotInTime):
            goal.wait_for(state=state, timeout=MOMENT)
            return
        back()
    raise AssertionError(f"never {state}: {goal}")


def until(page: Page, there: Callable[[], bool]) -> None:
    """Wait for something that is not on the page."""
    for _ in range(600):
        if there():
            return
        page.wait_for_timeout(100)
    raise AssertionError("it did not come")


def rename(page: Page, which: int, name: str) -> None:
    page.locator(".nb2pkg-name").nth(which).fill(name)
    page.keyboard.press("Enter")
    expect(page.locator(".nb2pkg-name").nth(which)).to_have_value(name)
    settled(page)


def begin(page: Page) -> None:
    """Press Export; again where the plan was being made anew just then, while nothing can be begun."""

    def press() -> None:
        with contextlib.suppress(NotInTime):
            page.locator("[name=nb2pkg-submit]").click(timeout=MOMENT)

    again(press, page.locator("#nb2pkg-sheet"), "detached")


def run(*command: str, cwd: Path) -> None:
    environment = {**os.environ, "PATH": os.pathsep.join([str(Path(PYTHON).parent), os.environ["PATH"]])}
    line = [PYTHON, "-m", *command]
    done = subprocess.run(line, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def working(server: Served) -> set[psutil.Process]:
    """The processes of the server that convert, and those that they have started; the page's own kernels are none."""
    children = psutil.Process(server.process.pid).children()
    workers = [child for child in children if "nb2pkg.jupyter.work" in child.cmdline()]
    return {*workers, *(process for worker in workers for process in worker.children(recursive=True))}


def test_choices_made_in_the_preview_reach_the_command_line(
    server: Served, page: Page, shot: Shot, tmp_path: Path
) -> None:
    folder = f"my work {server.app}"
    path = example(server, "seeded", folder)
    open_notebook(page, server, path)
    sheet(page)
    shot(f"{server.app}-dialog")
    rename(page, 1, "renamed_here")
    later = page.get_by_label("Begin renamed_here one cell later")
    first = page.locator(".nb2pkg-section").nth(1).locator(".nb2pkg-cell").first
    before = first.inner_text()
    later.click()
    expect(first).not_to_have_text(before)
    settled(page)
    for name in ("conclusion", "model", "bootstrap"):  # fewer stages take less time below
        page.get_by_label(f"Merge {name} with the section above").click()
        expect(page.locator(f'.nb2pkg-name[value="{name}"]')).to_have_count(0)
        settled(page)
    shot(f"{server.app}-changed")
    page.locator("[name=nb2pkg-package]").fill("chosen")
    page.locator("[name=nb2pkg-seed]").fill("-7")
    expect(page.locator(".nb2pkg-options [role=alert]")).to_contain_text("A seed is a whole number")
    expect(page.locator("[name=nb2pkg-submit]")).to_be_disabled()
    # A seed changes results, so only what is not verified has one here.
    verify = server.app == "lab"
    seed = [] if verify else ["--seed", "7"]
    page.locator("[name=nb2pkg-seed]").fill("".join(seed[1:]))
    page.locator("[name=nb2pkg-verify]").set_checked(verify)
    settled(page)
    expect(page.locator("[name=nb2pkg-out]")).to_have_value(f"{folder}/chosen")
    begin(page)
    if verify:
        expect(page.get_by_text(re.compile("verifying: (notebook, run|dvc repro)"))).to_be_visible()
        shot("lab-progress")
    open_folder = page.get_by_role("button", name="Open folder")
    open_folder.wait_for(timeout=LONG)
    shot(f"{server.app}-result")
    if verify:
        expect(page.get_by_text("equivalent: everything compared is equal")).to_be_visible()
    package = server.root / folder / "chosen"

    # The choices are tags of the notebook: the command line makes the same of it.
    page.locator(".jp-Notebook").first.click(position={"x": 5, "y": 5})
    page.keyboard.press("Control+s")
    saved = server.root / path
    until(page, lambda: "nb2pkg:renamed_here" in saved.read_text(encoding="utf-8"))
    run("nb2pkg", str(saved), str(tmp_path / "chosen"), "--package", "chosen", *seed, cwd=tmp_path)
    assert files(package) == files(tmp_path / "chosen")
    assert (package / "chosen" / "renamed_here.py").is_file()

    if server.app == "lab":
        open_folder.click()
        expect(page.locator(".jp-DirListing-item", has_text="dvc.yaml")).to_be_visible()
        shot("lab-folder")
        page.get_by_role("button", name="README").click()
        expect(page.locator(".jp-MarkdownViewer h1", has_text="chosen")).to_be_visible()
        page.get_by_role("button", name="Details").click()
        expect(page.locator(".nb2pkg-details")).to_contain_text("renamed_here")
        shot("lab-details")
    else:
        with page.expect_popup() as popup:
            open_folder.click()
        expect(popup.value.locator(".jp-DirListing-item", has_text="dvc.yaml")).to_be_visible()
    run("dvc", "repro", cwd=package)


def test_an_unsaved_notebook_becomes_a_zip(server: Served, page: Page, tmp_path: Path) -> None:
    path = write_notebook(server, f"unsaved {server.app}/draft.ipynb", GATE.format("profiled"))
    text = (server.root / path).read_text(encoding="utf-8")
    open_notebook(page, server, path)
    page.locator(".jp-CodeCell .cm-content").first.click()
    page.keyboard.press("Control+End")
    page.keyboard.type("\nprint('only on the screen')")
    sheet(page)
    for option in ("zip", "profile", "verify"):
        page.locator(f"[name=nb2pkg-{option}]").check()
    with page.expect_download(timeout=LONG) as download:
        begin(page)
        expect(page.get_by_text("notebook, profiled, cell 1")).to_be_visible()
        (server.gates / "profiled").touch()
    expect(page.get_by_text("equivalent: everything compared is equal")).to_be_visible()
    archive = zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes()))
    assert download.value.suggested_filename == "draft.zip"
    assert "draft/dvc.yaml" in archive.namelist()
    assert json.loads(archive.read("draft/reports/equivalence.json"))["verdict"] == "equivalent"
    modules = [name for name in archive.namelist() if name.endswith(".py")]
    assert any(b"only on the screen" in archive.read(name) for name in modules)
    assert (server.root / path).read_text(encoding="utf-8") == text
    assert [p.name for p in (server.root / path).parent.iterdir() if not p.name.startswith(".")] == ["draft.ipynb"]


def test_a_cell_in_another_language_is_told_in_place(server: Served, page: Page, shot: Shot) -> None:
    path = write_notebook(server, f"r {server.app}/r.ipynb", "x = 1", "y = 2", "%%R\nplot(1)")
    open_notebook(page, server, path)
    page.locator(BUTTON).click()
    alert = page.locator("#nb2pkg-sheet [role=alert]")
    expect(alert).to_contain_text("N110")
    expect(page.locator("[name=nb2pkg-submit]")).to_be_disabled()
    shot(f"{server.app}-refused")
    alert.get_by_role("button", name="Cell 3").click()
    expect(page.locator(".jp-Notebook .jp-CodeCell").nth(2)).to_have_class(re.compile("jp-mod-active"))
    # Mended in the notebook beside the dialog, the plan comes by itself.
    page.locator(".jp-CodeCell .cm-content").nth(2).click(position={"x": 5, "y": 5})
    page.keyboard.press("Control+a")
    page.keyboard.type("z = 3\nprint(z)")
    expect(alert).to_have_count(0)
    page.locator(".nb2pkg-section").first.wait_for()


def test_a_folder_that_is_not_empty_is_told_in_place(lab: Served, page: Page) -> None:
    path = write_notebook(lab, "occupied/a.ipynb", "x = 1\nprint(x)")
    (lab.root / "occupied" / "a").mkdir()
    (lab.root / "occupied" / "a" / "mine.txt").write_text("mine")
    open_notebook(page, lab, path)
    sheet(page)
    page.locator("[name=nb2pkg-submit]").click()
    expect(page.locator("#nb2pkg-sheet [role=alert]")).to_contain_text("not empty")
    page.locator("[name=nb2pkg-out]").fill("occupied/other")
    begin(page)
    page.get_by_role("button", name="Open folder").wait_for()
    assert (lab.root / "occupied" / "other" / "dvc.yaml").is_file()
    assert [p.name for p in (lab.root / "occupied" / "a").iterdir()] == ["mine.txt"]


def test_the_context_menu_exports_what_nobody_has_open(lab: Served, page: Page) -> None:
    write_notebook(lab, "closed.ipynb", "x = 1\nprint(x)", "y = x + 1\nprint(y)")
    page.goto(lab.tree())
    item = page.locator(".jp-DirListing-item", has_text="closed.ipynb")
    choose(page, item, "Export as Package", button="right")
    page.locator(".nb2pkg-section").first.wait_for()
    rename(page, 0, "by_menu")
    begin(page)
    page.get_by_role("button", name="Open folder").wait_for()
    assert (lab.root / "closed" / "closed" / "by_menu.py").is_file()
    assert "nb2pkg:by_menu" in (lab.root / "closed.ipynb").read_text(encoding="utf-8")


def test_the_file_menu_and_the_palette_have_it(lab: Served, page: Page) -> None:
    path = write_notebook(lab, "menus.ipynb", "x = 1\nprint(x)")
    open_notebook(page, lab, path)
    menu(page, "File", "Export as Package")
    page.locator(".nb2pkg-section").first.wait_for()
    page.keyboard.press("Escape")
    page.locator("#nb2pkg-sheet").wait_for(state="detached")
    palette(page)
    page.locator(".nb2pkg-section").first.wait_for()


def test_save_and_export_as_has_a_zip_with_folders(server: Served, page: Page) -> None:
    path = write_notebook(server, f"save as {server.app}.ipynb", "x = 1\nprint(x)")
    open_notebook(page, server, path)
    page.get_by_role("menuitem", name="File", exact=True).click()
    ours = page.locator(".lm-Menu-item", has_text=re.compile(r"^\s*Package\s*$"))
    # The submenu has its items once the server has told its formats.
    submenu = page.locator(".lm-Menu-item", has_text="Save and Export Notebook As")
    again(submenu.hover, ours, back=page.locator(".lm-Menu-item", has_text=re.compile("^Download")).hover)
    with page.expect_download() as download:
        ours.click()
    archive = zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes()))
    assert any(name.endswith("/.nb2pkg/manifest.json") for name in archive.namelist())


def test_cancelled_halfway_nothing_is_left(lab: Served, page: Page) -> None:
    path = write_notebook(lab, "cancel/slow.ipynb", GATE.format("never"))
    open_notebook(page, lab, path)
    sheet(page)
    page.locator("[name=nb2pkg-verify]").check()
    begin(page)
    expect(page.get_by_text("notebook, run 1")).to_be_visible()
    started = {process for process in working(lab) if "nb2pkg.jupyter.work" not in process.cmdline()}
    assert started
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("nothing is left of it")).to_be_visible()
    _, alive = psutil.wait_procs(started, timeout=30)
    assert alive == []
    left = {p.name for p in (lab.root / "cancel").iterdir()}
    assert left <= {"slow.ipynb", ".ipynb_checkpoints"}


def test_a_reload_and_a_lost_connection_are_survived(lab: Served, page: Page, shot: Shot) -> None:
    path = write_notebook(lab, "reload/slow.ipynb", GATE.format("reloaded"))
    open_notebook(page, lab, path)
    sheet(page)
    page.locator("[name=nb2pkg-verify]").check()
    begin(page)
    expect(page.get_by_text("notebook, run 1")).to_be_visible()
    page.context.set_offline(True)
    expect(page.get_by_text("the connection is lost")).to_be_visible()
    page.context.set_offline(False)
    page.reload()
    expect(page.get_by_text("Exporting to reload/slow")).to_be_visible()
    (lab.gates / "reloaded").touch()
    page.get_by_role("button", name="Open folder").wait_for(timeout=LONG)


def test_two_exports_at_once_and_the_notebook_stays_usable(lab: Served, page: Page) -> None:
    path = write_notebook(lab, "two/two.ipynb", GATE.format("two"), "print(6 * 7)")
    open_notebook(page, lab, path)
    for out in ("two/one", "two/other"):
        sheet(page)
        page.locator("[name=nb2pkg-out]").fill(out)
        page.locator("[name=nb2pkg-verify]").check()
        begin(page)
    page.locator(".jp-CodeCell .cm-content").nth(1).click()
    page.keyboard.press("Shift+Enter")
    expect(page.locator(".jp-OutputArea-output", has_text="42")).to_be_visible()
    expect(page.get_by_text(re.compile("Exporting to two/(one|other): verifying"))).to_have_count(2)
    (lab.gates / "two").touch()
    expect(page.get_by_role("button", name="Open folder")).to_have_count(2, timeout=LONG)
    assert all((lab.root / "two" / out / "dvc.yaml").is_file() for out in ("one", "other"))


def test_by_keyboard_alone(lab: Served, page: Page) -> None:
    path = example(lab, "seeded", "keyboard")
    open_notebook(page, lab, path)
    palette(page)
    page.locator(".nb2pkg-section").first.wait_for()
    names: list[str] = []
    for _ in range(200):
        page.keyboard.press("Tab")
        found = page.evaluate(
            "() => { const e = document.activeElement;"
            " return e.closest('#nb2pkg-sheet') ? (e.getAttribute('aria-label') || e.name || e.textContent) : '' }"
        )
        names.append(found)
        if found == "nb2pkg-submit":
            break
    assert names[-1] == "nb2pkg-submit", names
    options = {f"nb2pkg-{option}" for option in ("package", "out", "seed", "zip", "verify", "profile")}
    assert {"Close", "Name of section 1", *options} <= set(names), names
    assert any(name.startswith("Split") for name in names)
    assert all(names), "each control has a name"
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Open folder").wait_for()
    page.locator(BUTTON).focus()
    page.keyboard.press("Enter")
    page.locator(".nb2pkg-section").first.wait_for()
    page.keyboard.press("Escape")
    page.locator("#nb2pkg-sheet").wait_for(state="detached")
    assert page.evaluate("() => document.activeElement.closest('[data-jp-item-name=nb2pkg-export]') !== null")


def test_badges_tags_and_the_property_inspector(dark_lab: Served, page: Page, shot: Shot) -> None:
    path = example(dark_lab, "tidy", "dark")
    open_notebook(page, dark_lab, path)
    sheet(page)
    shot("dark-dialog")
    badges = page.locator(".nb2pkg-badge")
    expect(badges.first).to_have_text("load_data")
    page.keyboard.press("Escape")
    expect(badges).to_have_count(0)
    menu(page, "View", "Show Package Sections")
    expect(badges.first).to_have_text("load_data")
    page.locator(".jp-CodeCell").first.click()
    page.locator('[title="Property Inspector"], [data-id="jp-property-inspector"]').first.click()
    page.locator(".jp-PropertyInspector").get_by_text("Package", exact=True).click()
    field = page.locator('.jp-PropertyInspector input[label="Package section"]')
    field.fill("begin_here")
    field.press("Tab")
    expect(badges.first).to_have_text("begin_here")
    shot("dark-badges")
    page.keyboard.press("Control+s")

    def saved() -> list[dict[str, Any]]:
        cells = json.loads((dark_lab.root / path).read_text(encoding="utf-8"))["cells"]
        return [cell["metadata"] for cell in cells if cell["metadata"].get("nb2pkg")]

    until(page, lambda: bool(saved()))
    assert saved()[0]["nb2pkg"] == {"section": "begin_here"}
    assert saved()[0]["tags"] == ["nb2pkg:begin_here"]
