"""Takes the pictures of JupyterLab for the README, in what `labextension/browser/run.sh` installs."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from served import BUTTON, chromium, open_notebook, served

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"
SIZE = {"width": 1360, "height": 860}


def main() -> None:
    """The preview in the light theme, the result in the dark one."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    for theme in ("Light", "Dark"):
        with tempfile.TemporaryDirectory() as folder, chromium() as browser:
            root = Path(folder) / "root"
            shutil.copytree(ROOT / "examples" / "tidy", root)
            with served("lab", root, Path(folder) / "private", theme=f"JupyterLab {theme}") as server:
                page = browser.new_page(viewport=SIZE)  # type: ignore[arg-type]
                page.set_default_timeout(120_000)
                open_notebook(page, server, "churn.ipynb")
                if theme == "Light":
                    page.locator(BUTTON).click()
                    page.locator(".nb2pkg-section").first.wait_for()
                    page.mouse.move(5, 5)
                    page.wait_for_timeout(1000)
                    page.screenshot(path=IMAGES / "jupyterlab-preview.png")
                    continue
                page.get_by_role("menuitem", name="View", exact=True).click()
                page.get_by_role("menuitem", name="Show Package Sections").click()
                page.locator(BUTTON).click()
                page.locator(".nb2pkg-section").first.wait_for()
                page.locator("[name=nb2pkg-submit]").click()
                page.get_by_role("button", name="Open folder").click()
                page.locator(".jp-DirListing-item", has_text="dvc.yaml").wait_for()
                page.locator(".nb2pkg-badge").first.wait_for()
                page.mouse.move(5, 5)
                page.wait_for_timeout(1000)
                page.screenshot(path=IMAGES / "jupyterlab-result.png")


if __name__ == "__main__":
    main()
