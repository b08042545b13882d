"""Modules that find files by where they lie themselves are told where they lay."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nb2pkg.refactor.module_files import asks_for_its_file, lying_at

TEXTS = {
    "plain": "import os\nprint(__file__)\n",
    "a docstring": '"""Two\nlines."""\nprint(__file__)\n',
    "futures": '"""One."""\n\nfrom __future__ import annotations\nfrom __future__ import division\nprint(__file__)\n',
    "an encoding": "#!/usr/bin/env python\n# -*- coding: latin-1 -*-\n# \xe9\nprint(__file__)\n",
    "a decorator": "def same(f):\n    return f\n\n\n@same\ndef g():\n    return __file__\n\n\nprint(g())\n",
    "a decorator first": "@staticmethod\ndef g():\n    return __file__\n\n\nprint(g())\n",
    "Windows lines": "'''A'''\r\nprint(__file__)\r\n",
    "no end": "print(__file__)",
    "a byte order mark": "\xef\xbb\xbfimport os\nprint(__file__)\n",
}


@pytest.mark.parametrize("case", TEXTS)
def test_a_module_knows_where_it_lay(case: str, tmp_path: Path) -> None:
    path = tmp_path / "pkg" / "deep" / "tools.py"
    path.parent.mkdir(parents=True)
    path.write_bytes(lying_at(TEXTS[case].encode("latin-1"), "pkg/deep/tools.py", "workspace/src/tools.py"))
    done = subprocess.run([sys.executable, str(path)], cwd=tmp_path.parent, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == os.path.join(tmp_path, "workspace", "src", "tools.py")


@pytest.mark.parametrize("text", ["x = 1\n", "x = '__file__'\n", "def (__file__\n", "'''A'''; print(__file__)\n", ""])
def test_others_stay_as_they_are(text: str) -> None:
    assert lying_at(text.encode(), "tools.py", "workspace/tools.py") == text.encode()


def test_one_that_names_the_file_of_another_does_not_ask() -> None:
    assert asks_for_its_file(b"print(__file__)")
    assert not asks_for_its_file(b"import other\nprint(other.__file__)")
