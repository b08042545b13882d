"""Several repositories in one run: interrupted, they are gone on with; finished, they are not written over."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import write_notebook
from nb2pkg.migrate import Migrated, MigrateOptions
from nb2pkg.migrate.session import UNFINISHED, migrate_all

OPTIONS = MigrateOptions(git=False)


def test_several_that_were_interrupted_are_gone_on_with(tmp_path: Path) -> None:
    sources = [str(tmp_path / name) for name in ("one", "two")]
    for number, source in enumerate(sources):
        write_notebook(Path(source) / "a.ipynb", f"x = {number}", "print(x)")
    out = tmp_path / "out"

    def interrupt(one: Migrated) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        migrate_all(sources, str(out), OPTIONS, on_done=interrupt)
    assert sorted(p.name for p in out.iterdir() if p.is_dir()) == ["one"]
    made = migrate_all(sources, str(out), OPTIONS)
    assert [[row.status for row in one.migration.rows] for one in made] == [["whole"], ["whole"]]
    assert (out / "two" / "dvc.yaml").exists()
    assert (out / "migration.html").exists()
    assert not (out / UNFINISHED).exists()
    again = migrate_all(sources, str(out), OPTIONS)
    assert [[d.code for d in one.migration.diagnostics] for one in again] == [["N602"], ["N602"]]


def test_a_refusal_for_what_another_file_says_is_looked_at_again_when_that_changes(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    write_notebook(lab / "a.ipynb", "%run my_tools.ipynb", "print(x)")
    write_notebook(lab / "my_tools.ipynb", "def (")
    options = MigrateOptions(git=False, force=True)
    [first] = migrate_all([str(lab)], str(tmp_path / "out"), options)
    assert [row.status for row in first.migration.rows] == ["refused", "refused"]
    write_notebook(lab / "my_tools.ipynb", "x = 1", "print(x)")
    [again] = migrate_all([str(lab)], str(tmp_path / "out"), options)
    assert [row.status for row in again.migration.rows] == ["whole", "whole"]
