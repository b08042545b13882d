"""The facts that the knowledge base holds, one frozen type for calls, one for types, one for arguments.

Names are qualified names after import aliases are resolved: `pandas.read_csv`, `numpy.random.rand`,
`matplotlib.pyplot.plot`, builtins as `builtins.print`. Methods are `<type>.<method>`: `pandas.DataFrame.drop`.
Parameters are named by keyword, by 0-based position, or both: `"filepath_or_buffer"`, `"0"`, `"0|filepath_or_buffer"`;
`self` is the receiver of a method; `*` is every argument.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Relation = Literal["fresh", "scalar", "view", "holds", "same", "unknown"]
"""How a call's result relates to its arguments (or to those that `of` names).

fresh    a new mutable object that shares nothing with them
scalar   an immutable value (number, string, None, tuple of those)
view     a new object that may share memory with them (`DataFrame.values`, `ndarray.reshape`, `df["a"]`)
holds    a new object that keeps references to them (an estimator keeps its base estimator, a list its items)
same     one of them itself (`estimator.fit` returns self)
unknown  nothing is known: may be, hold or view any of them
"""


@dataclass(frozen=True, slots=True)
class Call:
    """What a call of one function, class or method does. The defaults are those of a pure function."""

    relation: Relation = "fresh"
    of: tuple[str, ...] = ()
    """The parameters that `relation` speaks of; empty: the receiver and every argument."""
    returns: str = ""
    """The type of the result, as `pandas.DataFrame`; empty where it is not known."""
    returns_for: tuple[str, ...] = ()
    """The type of the result by the ending of the file that is read: `.npz numpy.lib.npyio.NpzFile`."""
    none_with: str = ""
    """A parameter: where it is given, the result is None (`to_csv` without a path returns the text)."""
    mutates: tuple[str, ...] = ()
    """Parameters whose object changes (attributes, items, columns, a fit), but no shared buffer is written."""
    writes: tuple[str, ...] = ()
    """Parameters whose memory is written in place, so that views of it change too (`ndarray.sort`, `out=`)."""
    forgets: bool = False
    """`self`, if it is mutated, keeps no reference to the other arguments (an estimator that learns numbers of its own)
    unless it holds a function of the notebook."""
    inplace: str = ""
    """A keyword: `self` is mutated only if it is given and is not literally False (`inplace`)."""
    draws: str = ""
    """The global random stream that is drawn from: `numpy`, `random`, `torch`, `tensorflow`; or a counter of the
    library by which it names what it makes, as `module:attribute`, with `|` between where versions keep it."""
    seeds: str = ""
    """The global random stream that is seeded or set."""
    draws_for: Literal["", "arguments", "nothing"] = ""
    """Where drawing is not its own: only the objects that it is given draw, or its result does not depend on it."""
    draws_unless: str = ""
    """A keyword: drawing happens only if it is missing or None (`random_state`)."""
    reads_file: tuple[str, ...] = ()
    writes_file: tuple[str, ...] = ()
    """Parameters that name a file (or folder) which is read, written."""
    mode: str = ""
    """For `open`: the parameter that holds the mode, which decides between reading and writing."""
    folder: Literal["", "always", "default"] = ""
    """It depends on the working folder: always (`os.getcwd`), or where it is given no path (`os.listdir`)."""
    tells_path: bool = False
    """Its result tells the path that it was given (`joblib.dump`, `glob.glob`)."""
    told_by: str = ""
    """The function of a package's artifacts.py that takes the same arguments, and `told`: the path to give back."""
    removes_file: tuple[str, ...] = ()
    """Of what it writes, what is not there afterwards."""
    makes_folder: bool = False
    """What it writes is a folder that holds nothing yet."""
    unpickles: bool = False
    """It opens a pickle, which runs what that names."""
    asks: tuple[str, ...] = ()
    """Parameters whose identity the result depends on (`id`, `numpy.shares_memory`)."""
    searches: bool = False
    """Looks for an item in its receiver or arguments, by identity first (`list.index`)."""
    declares: bool = False
    """Used as a decorator or in a class's body, it says what something is and keeps no state (`dataclass`, `wraps`)."""
    restores: bool = False
    """A context manager at whose end the settings are what they were."""
    ambient: bool = False
    """Returns an object of the library's own that lasts as long as the process (`decimal.getcontext`)."""
    calls: tuple[str, ...] = ()
    """Parameters that are called back (`DataFrame.apply`'s `func`)."""
    setting: bool = False
    """Sets ambient state (style, options, warnings, environment) and returns nothing that matters."""
    before_imports: bool = False
    """Sets what later imports may read (the environment)."""
    prints: bool = False
    plots: bool = False
    """Prints on standard output; draws on the current figure or creates one."""
    stage: str = ""
    """The part of the workflow: load clean explore features split model train evaluate predict save."""
    hyperparameters: tuple[str, ...] = ()
    """Keyword arguments that are hyperparameters."""
    signature: tuple[str, ...] = ()
    """The names of the positional parameters, where positional hyperparameters are common."""
    metric: Literal["", "score", "confusion", "history", "roc", "precision_recall"] = ""
    """What it measures: a score (a number, an array or list or dict of numbers), a confusion matrix, the history of a
    training, or a curve. An attribute that is a score has it too."""
    artifacts: str = ""
    """The function of a package's artifacts.py that takes the same arguments (a method's receiver first) and does the
    same, so that no other module pickles."""
    artifacts_file: str = ""
    """The one that takes a path in the place of the parameter `handle`, a file that is opened in the mode `opened`."""
    handle: str = ""
    opened: str = ""
    shell: bool = False
    """It runs a command of the shell, or a script that it gives to one as `input`."""
    pickler: str = ""
    """What these functions have to be told is used in the place of pickle."""


@dataclass(frozen=True, slots=True)
class Type:
    """A type of values."""

    name: str
    bases: tuple[str, ...] = ()
    """Types whose methods count too."""
    default: Literal["pure", "view", "unknown"] = "unknown"
    """What an unlisted method does: pure (reads, returns fresh), view (returns what may share memory), unknown."""
    storable: bool = True
    """False: can't be stored in a file (open files, connections, generators, figures that are drawn on)."""
    mutable: bool = True
    """False: no operation changes it, so identity does not matter."""
    item: str = ""
    """The type of `x[...]`, empty where not known; `getitem` says how it relates."""
    getitem: Relation = "unknown"
    setitem: Literal["mutates", "writes"] = "writes"
    """What `x[...] = v` does: `mutates` replaces a slot (dict, list, a DataFrame's column); `writes` writes memory."""
    attributes: Relation = "unknown"
    """How a plain attribute read relates to the object."""
    equal: Literal["identity", "value", "never"] = "identity"
    """How two are compared: as one object, by what they hold, or not at all (NaN, which is found by identity)."""
    random: bool = False
    """Its methods draw from a global stream, unless its constructor was given a seed."""
    beside: bool = True
    """False: where a path may be given, it names no file beside the notebook (text in memory, an open file, the path of
    a file that a library keeps)."""
    ordered: bool = True
    """False: iteration order is not kept by pickling (sets)."""


@dataclass(frozen=True, slots=True)
class Seeding:
    """What a call has to do with seeds, beyond what its facts say."""

    argument: str = ""
    """The argument that is the seed; empty: `Call.draws_unless`."""
    matters: tuple[str, ...] = ()
    """The seed matters only where one of these arguments is given and not False: `shuffle`, `solver=sag|saga`."""
    none: bool = False
    """It takes no seed, and gives the same without."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A global stream of random numbers: the function of the module that seeds it."""

    name: str
    module: str
    seed: str


@dataclass(frozen=True, slots=True)
class Removed:
    """API that a library had once, by the name that it was imported by."""

    since: str
    """The version that has it no more: `pandas 2.0`."""
    now: str = ""
    """What it is called now; empty: nothing is."""
    keywords: tuple[tuple[str, str], ...] = ()
    """Keyword arguments, and what they are called now."""
    strings: tuple[tuple[str, str], ...] = ()
    """Texts among the arguments, and what they are now."""
    unless: tuple[str, ...] = ()
    """Keyword arguments with which it is not the same."""
    form: str = ""
    """The rewriting that takes more than names."""
    only_args: bool = False
    """It is there still, but for these keywords and texts."""
    advice: str = ""
    """What to do by hand."""


@dataclass(frozen=True, slots=True)
class SecretPattern:
    """What a secret looks like in any text."""

    name: str
    """What its variable of the environment is called."""
    pattern: str
    """A regular expression; its group, if it has one, is the secret."""
    may: tuple[str, ...]
    """Texts without which there is none."""
    weak: bool = False
    """It may be short and plain, as passwords are."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """What an argument's name means wherever it is met."""

    calls: tuple[str, ...] = ()
    """Patterns of calls (`lifelines.*`, `?.fit` for methods) in which it is a hyperparameter, beside those whose
    `Call.hyperparameters` name it."""
    anywhere: bool = False
    """It is a hyperparameter in every call: the name means nothing else (`learning_rate`)."""
    seed: bool = False
    """It seeds random numbers."""
    constant: str = ""
    """What people call a constant of it (`LEARNING_RATE` for `lr`); empty: its name, after the callee's."""
    shared: bool = False
    """It belongs to the experiment, not to one object: equal values are one constant (`test_size`, `cv`)."""
