"""What is read by a URL is downloaded once, by a stage of its own; later runs are offline."""

from __future__ import annotations

import functools
import gzip
import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from nb2pkg.emit.runtime.downloads import download
from nb2pkg.pipeline import Converted, Options, convert


class Handler(http.server.SimpleHTTPRequestHandler):
    def end_headers(self) -> None:
        if self.path.startswith("/packed"):
            self.send_header("Content-Encoding", "gzip")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def web(tmp_path: Path) -> Iterator[http.server.HTTPServer]:
    folder = tmp_path / "web"
    folder.mkdir()
    (folder / "iris.csv").write_text("a,b\n1,2\n3,5\n")
    (folder / "iris.csv.gz").write_bytes(gzip.compress(b"a,b\n7,8\n"))
    (folder / "packed.csv").write_bytes(gzip.compress(b"a\n9\n"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def converted(folder: Path, *cells: str) -> Converted:
    made = [
        {"id": f"c{place}", "metadata": {}, "source": text}
        | ({"cell_type": "markdown"} if text.startswith("##") else {"cell_type": "code", "outputs": []})
        | ({} if text.startswith("##") else {"execution_count": None})
        for place, text in enumerate(cells)
    ]
    (folder / "nb").mkdir(exist_ok=True)
    path = folder / "nb" / "nb.ipynb"
    path.write_text(json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    return convert(path, folder / "out", Options(git=False, package="pkg"))


def test_the_second_run_is_offline(tmp_path: Path, web: http.server.HTTPServer) -> None:
    root = f"http://127.0.0.1:{web.server_address[1]}"
    made = converted(
        tmp_path,
        "## Load",
        f"import pandas as pd\nurl = '{root}/iris.csv'\ndf = pd.read_csv(url)\nprint(df)",
        "## Read",
        f"print(pd.read_csv('{root}/iris.csv.gz', nrows=1).sum().to_list(), df['a'].sum())",
    )
    assert [path for _, path in made.plan.downloads] == ["data/raw/iris.csv", "data/raw/iris.csv.gz"]
    assert sorted(d.code for d in made.diagnostics if d.code.startswith("N4")) == ["N406", "N406"]
    out = tmp_path / "out"
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = os.environ | {"PATH": path, "DVC_NO_ANALYTICS": "1"}

    def run(*command: str) -> str:
        done = subprocess.run(command, cwd=out, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    first = run("dvc", "repro")
    assert first.index("Running stage 'fetch'") < first.index("Running stage 'load'") and "[7, 8] 4" in first
    web.shutdown()
    web.server_close()
    assert "Running stage" not in run("dvc", "repro")
    assert "Running stage 'load'" in run("dvc", "repro", "-f", "-s", "load")
    assert "[7, 8] 4" in run(sys.executable, "-m", "pkg")
    ignored = (out / ".gitignore").read_text().splitlines()
    assert "/data/raw/iris.csv" in ignored


LOADS = [
    "!wget {root}/iris.csv",
    "!wget -q {root}/iris.csv -O iris.csv",
    "!curl -sL -o iris.csv {root}/iris.csv",
    "!mkdir -p d && curl -O {root}/iris.csv",
    "import urllib.request\nurllib.request.urlretrieve('{root}/iris.csv', 'iris.csv')\nx = 1",
    "import os\nfrom urllib.request import urlretrieve\nURL, NAME = '{root}/iris.csv', 'iris.csv'\n"
    "if not os.path.exists('iris.csv'):\n    urlretrieve('{root}/iris.csv', 'iris.csv')",
]


@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize("kept", [False, True])
def test_a_file_that_is_only_downloaded_comes_from_the_stage_fetch(
    tmp_path: Path, web: http.server.HTTPServer, load: str, kept: bool
) -> None:
    root = f"http://127.0.0.1:{web.server_address[1]}"
    read = "import pandas as pd\nprint(pd.read_csv('iris.csv')['b'].sum(), end=' ')\n"
    read += f"print(pd.read_csv('{root}/iris.csv.gz')['a'].sum())"
    look = "import os\nprint(os.path.basename(os.getcwd()) != '')"
    made = converted(tmp_path, "## Load", load.format(root=root), "## Read", read, *([look] if kept else []))
    place = "workspace/iris.csv" if kept else "data/raw/iris.csv"
    assert made.plan.in_place is not kept
    assert (f"{root}/iris.csv", place) in made.plan.downloads and len(made.plan.downloads) == 2
    out = tmp_path / "out"
    assert "urlretrieve" not in "".join(path.read_text() for path in (out / "pkg").glob("*.py"))
    environment = os.environ | {"DVC_NO_ANALYTICS": "1"}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    command = ["dvc", "repro"] if load == LOADS[0] else [sys.executable, "-m", "pkg"]
    done = subprocess.run(command, cwd=out, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "7 7" in done.stdout, done.stdout + done.stderr
    web.shutdown()
    web.server_close()
    done = subprocess.run([sys.executable, "-m", "pkg"], cwd=out, capture_output=True, text=True, check=False)
    assert "7 7" in done.stdout, "a second run is offline"
    stages = yaml.safe_load((out / "dvc.yaml").read_text())["stages"]
    assert {place, "data/raw/iris.csv.gz"} <= {dep for stage in stages.values() for dep in stage["deps"]}


@pytest.mark.parametrize(
    "code",
    [
        "print(os.path.exists('x.csv'))\nurlretrieve('https://a.org/x.csv', 'x.csv')",
        "print(os.listdir())\nurlretrieve('https://a.org/x.csv', 'x.csv')",
        "print(urlretrieve('https://a.org/x.csv', 'x.csv'))",
        "urlretrieve('https://a.org/x.csv', 'x.csv')\nopen('x.csv', 'w')",
        "for n in range(2):\n    urlretrieve('https://a.org/x.csv', 'x.csv')",
        "urlretrieve('https://a.org/x.csv', '/tmp/x.csv')",
        "if not os.path.exists('x.csv'):\n    print('!')\n    urlretrieve('https://a.org/x.csv', 'x.csv')",
        "def get(url):\n    urlretrieve(url, 'x.csv')\nget('https://a.org/x.csv')",
        "urlretrieve('https://a.org/' + input(), 'x.csv')",
    ],
)
def test_a_download_that_does_more_stays_in_its_place(tmp_path: Path, code: str) -> None:
    head = "import os\nfrom urllib.request import urlretrieve\n"
    made = converted(tmp_path, f"{head}{code}\nx = 1")
    assert not made.plan.downloads
    assert "urlretrieve(" in "".join(path.read_text() for path in (tmp_path / "out/pkg").glob("*.py"))


def test_what_is_there_already_is_data_and_not_downloaded(tmp_path: Path) -> None:
    (tmp_path / "nb").mkdir()
    (tmp_path / "nb" / "x.csv").write_text("a\n1\n")
    made = converted(tmp_path, "!wget https://a.org/x.csv", "print(open('x.csv').read())")
    assert not made.plan.downloads and dict(made.plan.moved) == {"x.csv": "data/raw/x.csv"}
    assert (tmp_path / "out/data/raw/x.csv").is_file()
    assert [d.code for d in made.diagnostics if d.code.startswith("N10")] == ["N104"]


@pytest.mark.parametrize(
    "code",
    [
        "url = 'https://example.com/x.csv'\nprint(url)\npd.read_csv(url)",
        "pd.read_csv('https://example.com/x.csv', storage_options={'User-Agent': 'x'})",
        "pd.read_csv('https://example.com/' + 'x.csv')",
        "pd.read_csv('s3://bucket/x.csv')",
        "u = 'https://example.com/x.csv'\nu = 'https://example.com/y.csv'\npd.read_csv(u)",
        "import os\nos.chdir('.')\npd.read_csv('https://example.com/x.csv')",
    ],
)
def test_what_stays_as_it_is(tmp_path: Path, code: str) -> None:
    made = converted(tmp_path, f"import pandas as pd\n{code}")
    assert not made.plan.downloads and not (tmp_path / "out/pkg/fetch.py").exists()


def test_two_files_of_one_name_and_packed_ones(tmp_path: Path) -> None:
    urls = ("https://a.org/x.csv", "https://b.org/x.csv", "https://c.org/x.csv.gz?raw=1", "https://d.org/")
    made = converted(tmp_path, "import pandas as pd\n" + "\n".join(f"pd.read_csv({url!r})" for url in urls))
    paths = ["data/raw/x.csv", "data/raw/2_x.csv", "data/raw/x.csv.gz.download", "data/raw/d.org"]
    assert made.plan.downloads == tuple(zip(urls, paths, strict=True))


def test_a_download_is_whole_or_not_there(tmp_path: Path, web: http.server.HTTPServer) -> None:
    root = f"http://127.0.0.1:{web.server_address[1]}"
    with pytest.raises(OSError, match="404"):
        download(f"{root}/nothing", str(tmp_path / "sub" / "x"))
    assert list((tmp_path / "sub").iterdir()) == []
    download(f"{root}/packed.csv", str(tmp_path / "sub" / "x"))
    assert (tmp_path / "sub" / "x").read_bytes() == b"a\n9\n"
    download(f"{root}/nothing", str(tmp_path / "sub" / "x"))  # what is there stays
