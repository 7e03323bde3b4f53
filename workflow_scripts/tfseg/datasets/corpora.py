"""Which corpora there are: each is a module beside this one that declares itself.

The declaration is a literal, ``DECLARATION = {...}``, with the fields of `Corpus`. It is read, not
imported: every job of a cluster reads the Snakefile anew, and a corpus may need pandas. The module
also has ``list_recordings(folder, *, classes, ...)``, or ``render_corpus`` where the workflow makes
the recordings itself. ``docs/how-to/add_a_dataset.md`` shows a whole example.
"""

import csv
import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tfseg.datasets.downloads import Downloads
from tfseg.datasets.table_text import SEPARATORS, table_separator
from tfseg.errors import ConfigError
from tfseg.io.declarations import NAME, read_declaration
from tfseg.io.digests import files_digest
from tfseg.io.sound_files import all_files, there_as
from tfseg.io.validation import is_one_line

_FOLDER = Path(__file__).resolve().parent
_HOLDS = ("events", "clips")
_SPLITS = (None, "folds", "fixed", "any")


@dataclass(frozen=True)
class Corpus:
    """What a corpus declares.

    Parameters
    ----------
    kind : str
        Name of the module, and value of the config key ``corpus.kind``.
    file : Path
        The module.
    summary : str
        One line for the docs.
    holds : {"events", "clips"}
        Events and scenes, to be mixed; or clips that already are mixtures.
    split : {None, "folds", "fixed", "any"}
        The corpus's own split: none, folds, a held-out part (1) and one to train on (2), or
        whatever the user's table says.
    sources : sequence of str
        Files and folders below ``data_root`` that the user puts there. Their names, sizes and
        times decide whether the corpus is listed and inspected again.
    downloads : sequence of str
        Data sets of ``resources/datasets.yaml``. Their folders are downloaded where they are not
        in ``data_root``.
    expects : sequence of str
        Counts that the entries of `downloads` state and ``list_recordings`` checks.
    found_by : str or None
        A file. If ``data_root`` holds it, ``data_root`` is the unpacked folder itself, perhaps
        with part of the recordings: nothing is downloaded and nothing is counted.
        ``list_recordings`` then gets the unpacked folder, else the folder around it.
    takes : sequence of str
        Keys of the config's section ``corpus`` that ``list_recordings`` gets beside ``classes``.
    settings : dict
        Settings of this corpus alone (config section ``corpus.<kind>``): key to a JSON schema with
        ``default`` and ``description``.
    clip_list : str or None
        Table below ``data_root`` with a row for each clip; its column ``path`` names the file.
    clip_events : str or None
        Table below ``data_root`` with times of events in clips, used where it is there.
    described_in : str or None
        Page of the docs that says what `sources` hold.
    renders : bool
        Whether the workflow makes the recordings itself.
    """

    kind: str
    file: Path
    summary: str
    holds: str
    split: str | None = None
    sources: Sequence[str] = ()
    downloads: Sequence[str] = ()
    expects: Sequence[str] = ()
    found_by: str | None = None
    takes: Sequence[str] = ()
    settings: dict = field(default_factory=dict)
    clip_list: str | None = None
    clip_events: str | None = None
    described_in: str | None = None
    renders: bool = False

    def __post_init__(self):
        for name, allowed in (("holds", _HOLDS), ("split", _SPLITS)):
            if getattr(self, name) not in allowed:
                raise ConfigError(
                    f"{self.file}: {NAME}: expected {name} out of {list(allowed)}, "
                    f"found {getattr(self, name)!r}"
                )
        if (self.holds == "clips") != (self.clip_list is not None):
            raise ConfigError(
                f"{self.file}: {NAME}: expected clip_list with a corpus that holds clips and with "
                f"no other, found holds {self.holds!r} and clip_list {self.clip_list!r}"
            )

    @property
    def is_clips(self):
        """Whether its recordings already are mixtures: there is no SNR and no ideal mask."""
        return self.holds == "clips"

    @property
    def function(self):
        """What its job runs, as `tfseg.run.digest.code_digest` takes it."""
        name = "render_corpus" if self.renders else "list_recordings"
        return f"tfseg.datasets.{self.kind}:{name}"

    def has_own_split(self, kind):
        """Tell whether the corpus itself says who is in which fold (``split.kind`` of the config)."""
        return self.split in (kind, "any")

    def n_clips(self, data_root):
        """Count the rows of the list of clips, about: they decide the number of jobs only."""
        with open(f"{data_root}/{self.clip_list}", "rb") as stream:
            return max(sum(1 for line in stream if line.strip()) - 1, 1)

    def own_settings(self, section):
        """Values of `settings`: defaults, and what the config's section ``corpus`` says."""
        defaults = {key: schema["default"] for key, schema in self.settings.items()}
        return defaults | section.get(self.kind, {})


@functools.cache
def find_corpora(folder=_FOLDER):
    """Read the declarations of all corpora.

    Parameters
    ----------
    folder : Path
        Where their modules lie.

    Returns
    -------
    corpora : dict of str to Corpus
        By kind, in alphabetical order.

    Raises
    ------
    ConfigError
        Naming the module whose declaration cannot be used.
    """
    corpora = {}
    for path in sorted(Path(folder).glob("*.py")):
        declared = read_declaration(path)
        if declared is None:
            continue
        try:
            corpora[path.stem] = Corpus(kind=path.stem, file=path, **declared)
        except TypeError as error:
            raise ConfigError(
                f"{path}: {NAME}: expected the fields of tfseg.datasets.corpora.Corpus: {error}"
            ) from None
    return corpora


def corpus_kinds():
    """List the values that the config key ``corpus.kind`` may have."""
    return list(find_corpora())


def declared_schema(schema):
    """Complete the config's JSON schema with what the corpora declare.

    Parameters
    ----------
    schema : dict
        Of the whole config; is not changed.

    Returns
    -------
    schema : dict
        ``corpus.kind`` takes every kind, and each corpus with settings has its section.
    """
    section = schema["properties"]["corpus"]
    known = section["properties"]
    own = {
        kind: {
            "description": f"Used when kind is {kind}",
            "type": "object",
            "additionalProperties": False,
            "properties": corpus.settings,
        }
        for kind, corpus in find_corpora().items()
        if corpus.settings and kind not in known
    }
    kind = {key: of for key, of in known["kind"].items() if key != "type"}
    kinds = {"kind": kind | {"enum": corpus_kinds()}}
    corpus = {
        **section,
        "additionalProperties": False,
        "properties": {**known, **kinds, **own},
    }
    return {**schema, "properties": {**schema["properties"], "corpus": corpus}}


@dataclass(frozen=True)
class Source:
    """The corpus of an experiment: where it lies, and what its adapter is told.

    Parameters
    ----------
    corpus : Corpus
    data_root : str
    section : dict
        ``corpus`` of the config.
    downloads : Downloads
    """

    corpus: Corpus
    data_root: str
    section: dict
    downloads: Downloads

    @property
    def _is_unpacked_folder(self):
        """Whether `data_root` itself is the data set's folder."""
        found_by = self.corpus.found_by
        return found_by is not None and Path(self.data_root, found_by).exists()

    @property
    def inputs(self):
        """Paths that must be there before the corpus can be listed."""
        if self._is_unpacked_folder:
            return [self.data_root]
        names = [*self.corpus.sources]
        for name in self.corpus.downloads:
            names += self.downloads.datasets[name].folders
        return [f"{self.data_root}/{name}" for name in names]

    @property
    def folder(self):
        """Folder that ``list_recordings`` gets."""
        return self.inputs[0] if self.corpus.found_by else self.data_root

    @property
    def choice(self):
        """Keyword arguments of ``list_recordings``."""
        keys = ("classes", *self.corpus.takes)
        choice = {key: self.section[key] for key in keys} | self.corpus.own_settings(self.section)
        if self.corpus.expects and not self._is_unpacked_folder:
            stated = {}
            for name in self.corpus.downloads:
                stated |= self.downloads.datasets[name].expect
            choice["expect"] = {name: stated[name] for name in self.corpus.expects}
        return choice

    @property
    def clip_events(self):
        """Path of the times of events in clips (.tsv or .csv), as a list; empty where there is none."""
        name = self.corpus.clip_events
        if not name:
            return []
        paths = [f"{self.data_root}/{Path(name).with_suffix(end)}" for end in SEPARATORS]
        return [path for path in paths if Path(path).exists()]

    def _listed_clips(self):
        """Paths in the list of clips."""
        path = Path(f"{self.data_root}/{self.corpus.clip_list}")
        with open(path, encoding="utf-8-sig", errors="replace") as stream:
            header = stream.readline()
            stream.seek(0)
            try:
                separator = table_separator(path, header.rstrip("\n"), ["path"])
                table = csv.DictReader(stream, delimiter=separator)
                table.fieldnames = [name.strip() for name in table.fieldnames or ()]
                names = (row.get("path") for row in table)
                named = [path.parent / name for name in names if name and is_one_line(name)]
                return [there_as(file) for file in named]
            except csv.Error:  # the job that lists the clips says what is wrong
                return []

    def user_files(self):
        """List the user's recordings and what describes them; not the times of events.

        Those are for scoring only: they list, inspect and train nothing anew.
        """
        root = Path(self.data_root)
        files = [root / "attribution.csv"]
        for name in self.corpus.sources:
            path = root / name
            files += all_files(path) if path.is_dir() else [path]
        return files + (self._listed_clips() if self.corpus.clip_list else [])

    @functools.cached_property
    def state(self):
        """A digest of names, sizes and times of the user's recordings, which may change."""
        return files_digest(self.user_files()) if self.corpus.sources else ""


def find_source(config, downloads):
    """Find the corpus that a checked config names.

    Parameters
    ----------
    config : dict
    downloads : Downloads

    Returns
    -------
    source : Source

    Raises
    ------
    ConfigError
        When a source is missing that nothing downloads, or the registry of downloads lacks what
        the corpus needs.
    """
    corpus = find_corpora()[config["corpus"]["kind"]]
    stated = set()
    for name in corpus.downloads:
        if name not in downloads.datasets:
            raise ConfigError(
                f"config key download.registry: expected the data set {name}, which corpus.kind "
                f"{corpus.kind} needs, found {', '.join(downloads.datasets) or 'none'}"
            )
        stated |= downloads.datasets[name].expect.keys()
    missing = [name for name in corpus.expects if name not in stated]
    if missing:
        raise ConfigError(
            f"config key download.registry: expected the counts {', '.join(missing)} in expect of "
            f"{' and '.join(corpus.downloads)}, found {', '.join(sorted(stated)) or 'none'}"
        )
    for name in corpus.sources:
        path = f"{config['data_root']}/{name}"
        if not Path(path).exists():
            page = f"; {corpus.described_in} says what it holds" if corpus.described_in else ""
            raise ConfigError(
                f"{path}: expected with corpus.kind {corpus.kind}, found nothing there. The config "
                f"key data_root names the folder of your recordings{page}."
            )
    return Source(corpus, config["data_root"], config["corpus"], downloads)
