"""Which files a statement reads and writes, in every way that notebooks have of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from nb2pkg.analyse import analyse
from nb2pkg.knowledge.base import shipped
from nb2pkg.notebook import Cell, Notebook

HEAD = (
    "import cv2, h5py, joblib, json, numpy as np, os, pandas as pd, pickle, sqlite3, torch\n"
    "import matplotlib.pyplot as plt\nfrom pathlib import Path\nfrom PIL import Image\nfrom tensorflow import keras\n"
    "df = pd.DataFrame()\nm = keras.Sequential()\n"
)


def uses(code: str) -> list[tuple[str | None, str]]:
    cell = Cell(index=0, id="c", kind="code", source=HEAD + code, code=HEAD + code)
    program = analyse(Notebook(name="nb", folder=Path(), cells=(cell,)), shipped())
    return [(f.path, "w" if f.writes else "r") for s in program.statements for f in s.effects.files]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("np.save('a.npy', df)", [("a.npy", "w")]),
        ("np.load('a.npz')", [("a.npz", "r")]),
        ("torch.save(m, 'a.pt')", [("a.pt", "w")]),
        ("m.save('m.keras')", [("m.keras", "w")]),
        ("keras.models.load_model('m.h5')", [("m.h5", "r")]),
        ("h5py.File('a.h5', 'w')", [("a.h5", "w")]),
        ("h5py.File('a.h5')", [("a.h5", "r")]),
        ("json.dump(1, open('a.json', 'w'))", [("a.json", "w")]),
        ("df['a'].to_csv('a.csv')", [("a.csv", "w")]),
        ("df.to_pickle('a.pkl')", [("a.pkl", "w")]),
        ("sqlite3.connect('a.db')", [("a.db", "r"), ("a.db", "w")]),
        ("plt.savefig('a.png')", [("a.png", "w")]),
        ("cv2.imwrite('a.png', cv2.imread('b.png'))", [("b.png", "r"), ("a.png", "w")]),
        ("Image.open('a.png').save('b.png')", [("a.png", "r"), ("b.png", "w")]),
        ("Path('a').write_text('x')", [("a", "w")]),
        ("joblib.dump(1, os.path.join('d', 'a'))", [("d/a", "w")]),
        # Commands of the shell, as far as their text tells.
        ("import subprocess\nsubprocess.run('cat a.csv | sort > b.csv', shell=True)", [("a.csv", "r"), ("b.csv", "w")]),
        ("os.system('cp a.csv b.csv && echo x >> c.txt')",
         [("a.csv", "r"), ("b.csv", "w"), ("c.txt", "w"), ("c.txt", "r")]),
        ("os.system('mv a.csv d/; cp b.csv c.csv e')",
         [("a.csv", "r"), ("b.csv", "r"), ("c.csv", "r"), ("d/a.csv", "w"), ("e/b.csv", "w"), ("e/c.csv", "w"),
          ("a.csv", "w")]),
        ("import subprocess\nsubprocess.run(['bash'], input='a > x.txt\\nwget https://a.org/y.csv')",
         [("x.txt", "w"), ("y.csv", "w")]),
        ("os.system('for f in *; do cat $f > x.txt; done')", []),
        ("os.system('cat *.csv $NAME > ${OUT} 2> /dev/null')", []),
        # What a path is joined of.
        ("D = Path('d')\n(D / 'a').read_text(), D.joinpath('b').write_text('')", [("d/a", "r"), ("d/b", "w")]),
        ("d = 'd'\nopen('%s/a' % d), open('{}/b'.format(d)), open(f'{d}/c')",
         [("d/a", "r"), ("d/b", "r"), ("d/c", "r")]),
        ("d = 'd'\nopen(f'{d:>9}/a'), open(os.path.join(d, '/b')), open(', '.join(d))", [(None, "r")] * 3),
        # What is no path.
        ("import io\npd.read_csv(io.StringIO('a'))", []),
        # A helper function is followed to the path, with its defaults.
        (
            "def keep(x, name, end='.pkl'):\n    with open('d/' + name + end, 'wb') as f:\n        pickle.dump(x, f)\n"
            "keep(1, 'a')\nkeep(2, name='b', end='.bin')",
            [("d/a.pkl", "w"), ("d/b.bin", "w")],
        ),
        # What differs between branches, or rounds of a loop, is not known.
        ("p = 'a'\nif df.size:\n    p = 'b'\nopen(p)", [(None, "r")]),
        ("p = 'a'\nfor i in df:\n    open(p)\n    p = 'b'", [("a", "r"), (None, "r")]),
        ("name = 'a'\n[open(name) for name in df]", [(None, "r")]),
    ],
)
def test_files(code: str, expected: list[tuple[str | None, str]]) -> None:
    assert uses(code) == expected
