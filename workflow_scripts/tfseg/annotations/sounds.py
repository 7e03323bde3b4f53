"""Which sound of a folder a name in annotations means, and how long it is."""

from pathlib import Path

from tfseg.errors import DataError, TableError, UnreadableSoundError
from tfseg.io.measuring import measure
from tfseg.io.opening import open_sound
from tfseg.io.sound_files import folder_content, looks_like_sound
from tfseg.io.validation import same_form, savable


def _parts(name):
    """Parts of a path, by whichever system it was written."""
    parts = same_form(savable(name)).replace("\\", "/").split("/")
    return [part for part in parts if part != "."] or [""]


def _n_common(folders, others):
    """Count the last folders that two paths have in common."""
    n = 0
    for ours, theirs in zip(reversed(folders), reversed(others), strict=False):
        if ours != theirs:
            break
        n += 1
    return n


def _agree(name, other):
    """Whether two names of the same file may mean the same folder: one has the last parts of the other."""
    folders, others = _parts(name)[:-1], _parts(other)[:-1]
    return _n_common(folders, others) == min(len(folders), len(others))


class Sounds:
    """The sounds of a folder, by the names that mean them.

    Parameters
    ----------
    folder : path-like

    Raises
    ------
    DataError
        When it holds no sounds.
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        self._by_last_part: dict[str, list] = {}
        for path in folder_content(self.folder).sounds if self.folder.is_dir() else ():
            for last in {path.name, path.stem}:
                self._by_last_part.setdefault(same_form(savable(last)), []).append(path)
        if not self._by_last_part:
            raise DataError(f"{folder}: expected a folder with sounds (--audio), found none")

    def find(self, recording):
        """Find the sound that a recording's name means, by as many of its last parts as agree.

        Parameters
        ----------
        recording : tfseg.annotations.recording.Recording

        Returns
        -------
        path : Path or None
            None where no sound is called so.

        Raises
        ------
        TableError
            When several fit equally well.
        """
        wanted = _parts(recording.name)
        named = self._by_last_part.get(wanted[-1], [])
        exact = [path for path in named if same_form(savable(path.name)) == wanted[-1]] or named
        n_common = {
            path: _n_common(_parts(path.absolute().as_posix())[:-1], wanted[:-1]) for path in exact
        }
        best = [path for path, n in n_common.items() if n == max(n_common.values())]
        if len(best) > 1:
            raise TableError(
                f"{recording.where}: {recording.name}: expected a name of one sound in {self.folder}, "
                f"found {', '.join(map(str, best[:3]))}: write more of its path, or its ending"
            )
        return best[0] if best else None


def located(recordings, folder, report):
    """Name recordings as the sounds of a folder, and measure these.

    Parameters
    ----------
    recordings : sequence of Recording
        Their names become paths relative to the folder.
    folder : path-like
    report : tfseg.annotations.report.Report

    Returns
    -------
    recordings : list of Recording
        Those whose sound is there and can be read.
    durations_s : dict of str to float
    """
    sounds, found, durations_s = Sounds(folder), [], {}
    first_names: dict[Path, tuple] = {}
    for recording in recordings:
        path = sounds.find(recording)
        if path is None:
            report.note(f"left out, {folder} has no such sound", recording.name)
            continue
        name, where = first_names.setdefault(path, (recording.name, recording.where))
        if not _agree(name, recording.name):
            raise TableError(
                f"{recording.where}: {recording.name}: expected a recording of its own in {folder}, "
                f"found only {path}, which {name} ({where}) means too"
            )
        recording.name = savable(path.relative_to(sounds.folder).as_posix())
        recording.path = path
        try:
            if recording.name not in durations_s:
                with open_sound(path) as stream:
                    recording.sample_rate, n = stream.sample_rate, stream.n_stated
                known = n is not None
                durations_s[recording.name] = (
                    n / recording.sample_rate if known else measure(path).duration_s
                )
        except UnreadableSoundError as error:
            report.note("left out, its sound cannot be read", f"{recording.name}: {error.why}")
            continue
        found.append(recording)
    return found, durations_s


def sounds_by_stem(folder):
    """Names of the sounds in a folder by their names without ending."""
    found: dict[str, list] = {}
    for path in sorted(folder.iterdir()):
        if looks_like_sound(path):
            found.setdefault(path.stem, []).append(path.name)
    return found


def name_beside(path, stem, by_stem):
    """Name of the sound that lies beside a label file, or the label file's stem where none does.

    Parameters
    ----------
    path : Path
        The label file.
    stem : str
        Its name without what is behind that of the recording.
    by_stem : dict
        Of its folder, as `sounds_by_stem` gives it.

    Raises
    ------
    TableError
        When there are several.
    """
    beside = by_stem.get(stem, [stem])
    if len(beside) > 1:
        raise TableError(
            f"{path}: expected one recording beside it, found {', '.join(beside)}: call it "
            f"{beside[0]}.txt, with the ending of the one that is meant"
        )
    return beside[0]
