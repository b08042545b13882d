"""Secrets of cells reach no file of the package; what only looks like one stays as it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nb2pkg.knowledge.base import shipped
from nb2pkg.notebook import Cell, Notebook
from nb2pkg.pipeline import Options, plan, tree
from nb2pkg.read.formats import NotebookFile
from nb2pkg.refactor.secrets import without_secrets

KEY = "Zk3" + "9fQ7xW2mLr8Tn5Vb1Yc6"  # no key of anybody
GITHUB = "ghp_" + "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5"
AWS = "AKIA" + "Q3EGRIBXWTZCUJ5N"


def hidden(*sources: str) -> tuple[list[str], Notebook]:
    """The code of these cells without their secrets."""
    cells = tuple(Cell(i, f"c{i}", "code", s, s) for i, s in enumerate(sources))
    notebook, _ = without_secrets(Notebook("case", Path("."), cells), shipped())
    return [cell.code for cell in notebook.cells], notebook


FOUND = {
    "a name that is only read": (
        [f"API_KEY = '{KEY}'", "client = connect(API_KEY)"],
        ["", 'client = connect(os.environ["API_KEY"])'],
    ),
    "a name beside another statement": ([f"n = 1; token = '{KEY}'"], ["n = 1; pass"]),
    "a name that is bound again": (
        [f"token = '{KEY}'", "token = token.strip()"],
        ['token = os.environ["TOKEN"]', "token = token.strip()"],
    ),
    "a name in an f-string": (
        [f"token = '{KEY}'", "url = f\"https://x.org/?t={token}\""],
        ["", "url = f\"https://x.org/?t={os.environ['TOKEN']}\""],
    ),
    "an attribute": ([f"openai.api_key = '{KEY}'"], ['openai.api_key = os.environ["OPENAI_API_KEY"]']),
    "the environment's own entry": ([f"import os\nos.environ['HF_TOKEN'] = '{KEY}'"], ["import os\n"]),
    "an annotated name": ([f"token: str = '{KEY}'"], ['token: str = os.environ["TOKEN"]']),
    "an argument": ([f"c = Client(api_key='{KEY}', n=3)"], ['c = Client(api_key=os.environ["API_KEY"], n=3)']),
    "a password of a call": (
        ["db.connect(host='h', user='u', password='hunter')"],
        ["db.connect(host='h', user='u', password=os.environ[\"DB_PASSWORD\"])"],
    ),
    "a password beside a user": (
        ["c = {'user': 'me', 'password': 'hunter'}"],
        ["c = {'user': 'me', 'password': os.environ[\"PASSWORD\"]}"],
    ),
    "a token of GitHub anywhere": ([f"clone('{GITHUB}')"], ['clone(os.environ["GITHUB_TOKEN"])']),
    "a key inside a text": (
        [f"x = ['id {AWS} of me']"],
        ["x = [('id ' + os.environ[\"AWS_ACCESS_KEY_ID\"] + ' of me')]"],
    ),
    "a password in a URL": (
        ["e = create_engine('postgresql://me:s3cr-t@host/db')"],
        ["e = create_engine(('postgresql://me:' + os.environ[\"URL_PASSWORD\"] + '@host/db'))"],
    ),
    "a header": (
        [f"h = {{'Authorization': 'Bearer {KEY}'}}"],
        ["h = {'Authorization': ('Bearer ' + os.environ[\"AUTHORIZATION\"])}"],
    ),
    "bytes": ([f"secret = b'{KEY}'\nsecret += b''"], ['secret = os.environ["SECRET"].encode()\nsecret += b\'\'']),
    "a comment": (["x = 1  # " + GITHUB], ["x = 1  # ****"]),
    "two of one name": (
        [f"a = A(token='{KEY}')\nb = B(token='{KEY[::-1]}')"],
        ['a = A(token=os.environ["TOKEN"])\nb = B(token=os.environ["TOKEN_2"])'],
    ),
}


@pytest.mark.parametrize("case", FOUND)
def test_found(case: str) -> None:
    sources, expected = FOUND[case]
    code, notebook = hidden(*sources)
    assert code == expected
    assert notebook.secrets
    assert KEY not in repr(notebook)


LEFT = {
    "a column's name": "df = df.rename(columns={'password': 'pass_word'})",
    "the name of a token": "tok = Tokenizer(pad_token='<pad>', unk_token='[UNK]', token='the')",
    "a data set": "dataset = 'customer_churn_2024_v2_final'",
    "a file under a name of keys": "token = 'data/tokens_2024_final_01.csv'",
    "a hash": "digest = '9e107d9d372bb6826bd81d3542a419d6'",
    "a placeholder": "api_key = 'YOUR_API_KEY_1234567890'\npassword = '<password>'\ntoken = 'xxxxxxxxxxxxxxxxxxxxxxx'",
    "an empty password": "db.connect(user='u', password='')",
    "the word itself": "password = 'password'\nsecret_key = 'secret_key'",
    "the environment": "import os\ntoken = os.environ['API_TOKEN_12345678']",
    "a URL": "url = 'https://docs.google.com/spreadsheet?key=0Ak1ecr7i0wotdGJmTURJRnZLYlV3M2daNTRubTdwTXc&output=csv'",
    "a URL with a port": "url = 'http://localhost:8888/tree@home'",
    "an image": "img = 'iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4'",
    "a comparison": "ok = df[df['password'] == 'abc123']",
    "words of a text": "corpus = ['the secret token of the api key', 'a password']",
    "a list of columns": "cols = ['password', 'token', 'api_key']",
    "keys to sort by": "d = sorted(x, key='customer_id_2024_number')",
    "a message": "print('Enter your password: ')",
}


@pytest.mark.parametrize("case", LEFT)
def test_left_alone(case: str) -> None:
    code, notebook = hidden(LEFT[case])
    assert code == [LEFT[case]]
    assert notebook.secrets == ()


def test_no_file_of_the_package_has_it(tmp_path: Path) -> None:
    code = {"cell_type": "code", "metadata": {}, "execution_count": None}
    text = {"output_type": "stream", "name": "stdout", "text": [f"using {KEY}\n"]}
    prose = {"cell_type": "markdown", "id": "m", "metadata": {}, "source": f"# Load\nwith {GITHUB}"}
    sources = [f"API_KEY = '{KEY}'  # mine: {KEY}", "def load():\n    return API_KEY[:0]", "print(load())"]
    cells = [code | {"id": f"c{i}", "source": s, "outputs": [text]} for i, s in enumerate(sources)]
    path = tmp_path / "nb.ipynb"
    path.write_text(json.dumps({"cells": [prose, *cells], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    found, made, told = tree(NotebookFile.at(path), Options(package="pkg"))
    files = dict(found.files)
    for secret in (KEY, GITHUB):
        assert [name for name, content in files.items() if secret.encode() in content] == []
        assert secret not in "".join(map(str, told)) + json.dumps(made.as_json())
    assert json.loads(files["notebooks/nb.ipynb"])["cells"][1]["outputs"][0]["text"] == ["using ****\n"]
    assert b"API_KEY=\n" in files[".env.example"]
    assert b"/.env\n" in files[".gitignore"]
    assert [(each.cell, each.line) for each in told if each.code == "N801"] == [(1, 1)]
    assert {each.cell for each in told if each.code == "N802"} == {0}


def made(folder: Path, *cells: str) -> tuple[dict[str, bytes], list[str], list[str]]:
    """The files of the package of these cells (`# …` is a heading), its stages, and what is told."""
    extra = {"code": {"outputs": [], "execution_count": None}, "markdown": {}}
    kinds = ["markdown" if text.startswith("# ") else "code" for text in cells]
    rows = [
        {"cell_type": kind, "id": f"c{i}", "metadata": {}, "source": text} | extra[kind]
        for i, (kind, text) in enumerate(zip(kinds, cells, strict=True))
    ]
    path = folder / "nb.ipynb"
    path.write_text(json.dumps({"cells": rows, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    found, planned, told = tree(NotebookFile.at(path), Options(package="pkg"))
    return dict(found.files), [stage.name for stage in planned.stages], [str(each) for each in told]


def test_modules_beside_the_notebook_are_copied_without_theirs(tmp_path: Path) -> None:
    text = f'"""Settings."""\nfrom __future__ import annotations\n\nAPI_KEY = "{KEY}"  # {KEY}\nOTHER = "{AWS}"\n'
    (tmp_path / "config.py").write_text(text)
    (tmp_path / "broken.py").write_text(f"x = = '{GITHUB}'\n")
    (tmp_path / "plain.py").write_text("x = 1\n")
    files, _, told = made(tmp_path, "import config, broken, plain", f"token = '{AWS}'\nuse(token, config.API_KEY)")
    copied = files["config.py"].decode()
    assert copied.startswith('"""Settings."""\nfrom __future__ import annotations\nimport os\n')
    assert 'API_KEY = os.environ["API_KEY"]  # ****\nOTHER = os.environ["TOKEN"]\n' in copied
    assert files["broken.py"] == b"x = = '****'\n" and files["plain.py"] == b"x = 1\n"
    everything = b"".join(files.values())
    assert [secret for secret in (KEY, AWS, GITHUB) if secret.encode() in everything] == []
    assert files[".env.example"].decode().count("=\n") == 3
    assert len([each for each in told if "N803" in each]) == 2
    assert not any(secret in each for each in told for secret in (KEY, AWS, GITHUB))


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (f"token = '{GITHUB}'\ntoken = token.strip()", "token"),
        (f"headers = {{'Authorization': 'Bearer ' + '{GITHUB}'}}", "headers"),
        (f"headers = {{}}\nheaders['Authorization'] = f'Bearer {GITHUB}'", "headers"),
        (f"import openai\nclient = openai.Client(api_key='{KEY}')", "client"),
    ],
)
def test_what_holds_one_is_never_stored(tmp_path: Path, code: str, name: str) -> None:
    cells = ("# Set up", f"{code}\nn = [1]", "# Use", f"print({name}, n)")
    files, stages, told = made(tmp_path, *cells)
    assert len(stages) == 1
    assert any(f"{name} crosses the boundary, and it holds a secret" in each for each in told)
    assert not any(f"data/interim/{stage}/{name}".encode() in files["dvc.yaml"] for stage in stages)


def test_what_is_got_with_one_is_stored(tmp_path: Path) -> None:
    code = f"import requests\nrows = requests.get('https://a.org', headers={{'token': '{GITHUB}'}}).json()"
    assert len(made(tmp_path, "# Load", code, "# Use", "print(rows)")[1]) == 2


def test_the_plan_of_a_notebook_without_secrets_says_nothing_of_them(tmp_path: Path) -> None:
    code = {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": []}
    path = tmp_path / "nb.ipynb"
    cells = [code | {"id": "c", "source": LEFT["the name of a token"]}]
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    assert not {d.code for d in plan(path).diagnostics} & {"N801", "N802"}
