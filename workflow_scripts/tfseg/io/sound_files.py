"""Which files are sound or video, by their names and first bytes, and which of them a folder holds."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from tfseg.io.validation import one_line, same_form

# What libsndfile names (not .raw: nothing says what is in such a file), and what people call files
# of these formats. Written down, since loading the library takes longer than most jobs of a plan.
READ_ENDINGS = frozenset(
    [".8svx", ".aif", ".aifc", ".aiff", ".au", ".avr", ".bwf", ".caf", ".flac", ".htk", ".ircam",
     ".mat4", ".mat5", ".mp3", ".mpc2k", ".nist", ".oga", ".ogg", ".opus", ".paf", ".pvf", ".rf64",
     ".sd2", ".sds", ".snd", ".sph", ".svx", ".voc", ".w64", ".wav", ".wave", ".wavex", ".wve",
     ".xi"]
)  # fmt: skip
# Of phones, recorders, cameras and players. What may be something else (.ts, .dat) is left to the
# first bytes.
OTHER_ENDINGS = frozenset(
    [".3g2", ".3gp", ".aa", ".aac", ".aax", ".ac3", ".adts", ".amr", ".ape", ".asf", ".avi",
     ".awb", ".dff", ".dsf", ".dss", ".dts", ".eac3", ".f4a", ".f4v", ".flv", ".gsm", ".m2ts",
     ".m4a", ".m4b", ".m4r", ".m4v", ".mka", ".mkv", ".mov", ".mp1", ".mp2", ".mp4", ".mpc",
     ".mpeg", ".mpg", ".mpga", ".mts", ".oma", ".ogm", ".ogv", ".qcp", ".ra", ".rm", ".shn",
     ".spx", ".sud", ".tak", ".tta", ".vob", ".w4v", ".wac", ".weba", ".webm", ".wma", ".wmv",
     ".wv"]
)  # fmt: skip
# Copies that are unfinished or kept by an editor: the recording itself has another name.
_COPY_ENDINGS = frozenset(
    [".bak", ".crdownload", ".download", ".filepart", ".old", ".orig", ".part", ".tmp"]
)  # fmt: skip
_HEAD_BYTES = 16
_STARTS = (
    (b"fLaC", "FLAC"),
    (b"OggS", "Ogg"),
    (b"ID3", "MP3"),
    (b"caff", "CAF"),
    (b".snd", "AU"),
    (b"RF64", "RF64"),
    (b"BW64", "RF64"),
    (b"riff\x2e\x91\xcf\x11", "W64"),
    (b"NIST_1A", "NIST"),
    (b"Creative Voice F", "VOC"),
    (b"\x1aE\xdf\xa3", "Matroska or WebM"),
    (b"#!AMR", "AMR"),
    (b"0&\xb2u\x8ef\xcf\x11", "Windows Media"),
    (b"FLV\x01", "Flash video"),
    (b"wvpk", "WavPack"),
    (b"MAC ", "Monkey's Audio"),
    (b"TTA1", "TTA"),
    (b"MPCK", "Musepack"),
    (b"MP+", "Musepack"),
    (b"DSD ", "DSF"),
    (b"FRM8", "DSDIFF"),
    (b".RMF", "RealMedia"),
    (b"\x00\x00\x01\xba", "MPEG video"),
)
# What stands in a file's place until the programs that keep large files fetch it.
_ANNEX, _ANNEX_REMEDY = "/annex/objects/", "fetch the file itself with git annex get"
_POINTERS = (
    (b"version https://git-lfs", "a pointer of git-lfs: fetch the file itself with git lfs pull"),
    (_ANNEX.encode(), f"a pointer of git-annex: {_ANNEX_REMEDY}"),
)
_PICTURES = (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif", b"avis", b"crx ", b"jxl ")
ABOUT = "about.json"  # of a folder of results: what they are of
_ABOUT_KEYS = {"model_sha256", "recording_sha256"}


def content_kind(path):
    """Say which kind of sound or video file the first bytes of a file are of.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    kind : str or None
        Such as ``"FLAC"``; None where they are of none that is known, or cannot be read.
    """
    try:
        with open(path, "rb") as stream:
            head = stream.read(_HEAD_BYTES)
    except OSError:  # whoever reads the file says what is wrong with it
        return None
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    if head[:4] == b"RIFF":
        return {b"WAVE": "WAV", b"AVI ": "AVI"}.get(head[8:12])
    if head[:4] == b"FORM":
        return "AIFF" if head[8:12] in (b"AIFF", b"AIFC", b"8SVX", b"16SV") else None
    if head[4:8] == b"ftyp":
        return None if head[8:12] in _PICTURES else "MPEG-4"
    return _frame_kind(head)


def pointer_text(path):
    """Say of a file that is only a pointer to the one that is meant; None of any other file."""
    with open(path, "rb") as stream:
        head = stream.read(max(len(start) for start, _ in _POINTERS))
    return next((text for start, text in _POINTERS if head.startswith(start)), None)


def why_missing(path):
    """Say what is found where no file is: nothing, or a link that leads nowhere; and the remedy.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    found : str
        To stand behind "found".
    """
    if os.path.islink(path):
        target = os.readlink(path)
        annex = f": {_ANNEX_REMEDY}" if _ANNEX in target else ""
        return one_line(f"a link that leads nowhere (to {target}){annex}")
    spelled = Path(os.fspath(path).replace("\\", "/"))
    hint = f": write / between folders, as in {spelled}" if os.path.exists(spelled) else ""
    return f"nothing there{one_line(hint)}"


def _frame_kind(head):
    """Kind of a stream of frames that begins without any header of a file: MP3 or AAC."""
    if len(head) < 4 or head[0] != 0xFF:
        return None
    if head[1] & 0xF6 == 0xF0 and (head[2] >> 2) & 0xF < 13:
        return "AAC"
    is_layer_3 = head[1] & 0xE6 == 0xE2 and head[1] & 0x18 != 0x08
    is_frame = head[2] >> 4 not in (0, 15) and (head[2] >> 2) & 3 != 3
    return "MP3" if is_layer_3 and is_frame else None


def looks_like_sound(path):
    """Whether a file is sound or video, by its ending or else by its first bytes."""
    ending = os.path.splitext(path)[1].lower()
    return ending in READ_ENDINGS or ending in OTHER_ENDINGS or content_kind(path) is not None


def _is_copy(path):
    """Whether a file is an unfinished or kept copy of a sound."""
    name, ending = os.path.splitext(path.name.rstrip("~"))
    if path.name.endswith("~"):
        return looks_like_sound(path.with_name(name + ending))
    return ending.lower() in _COPY_ENDINGS and (
        content_kind(path) is not None or looks_like_sound(path.with_name(name))
    )


def is_results_folder(folder):
    """Whether a folder holds what a model found in a recording: its sounds are no recordings."""
    try:
        about = json.loads(Path(folder, ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):  # there is none, or it is not tfseg's
        return False
    return isinstance(about, dict) and about.keys() >= _ABOUT_KEYS


@dataclass
class FolderContent:
    """What a folder holds, deeper folders too, also those that links lead to.

    Attributes
    ----------
    sounds : list of Path
        What looks like sound or video, also where it cannot be read; each file once, in order.
    n_hidden : int
        Files and folders whose names begin with a dot.
    copies : list of Path
        Unfinished or kept copies of sounds (``.part``, ``.bak``).
    results : list of Path
        Folders of results, which are not looked into.
    repeated : list of Path
        Links to files and folders that are reached without them.
    dead : list of Path
        Links that lead nowhere, of which no ending says that a sound is meant.
    closed : list of (Path, str)
        Folders that cannot be listed, and why.
    """

    sounds: list = field(default_factory=list)
    n_hidden: int = 0
    copies: list = field(default_factory=list)
    results: list = field(default_factory=list)
    repeated: list = field(default_factory=list)
    dead: list = field(default_factory=list)
    closed: list = field(default_factory=list)

    def notes(self, folder):
        """Say in a line what was left out, where something was, but for the folders `closed`.

        Parameters
        ----------
        folder : path-like
            What to call it.

        Returns
        -------
        notes : list of str
        """
        counted = [
            (self.n_hidden, "hidden"),
            (len(self.copies), "unfinished or kept copies (.part, .bak, ...)"),
            (len(self.results), "folders of results of tfseg"),
            (len(self.repeated), "links to what is there already"),
            (len(self.dead), "links that lead nowhere"),
        ]
        left_out = ", ".join(f"{n} {what}" for n, what in counted if n)
        return [one_line(f"{folder}: left out {left_out}")] if left_out else []

    def closed_notes(self):
        """Name each folder that cannot be listed, and why."""
        return [
            one_line(f"{path}: this folder cannot be listed: {why}") for path, why in self.closed
        ]


def folder_content(folder, leave_out=()):
    """Find the sound and video files below a folder.

    Parameters
    ----------
    folder : path-like
    leave_out : iterable of path-like
        Folders that are not looked into, such as that of the results; `folder` itself is.

    Returns
    -------
    content : FolderContent
        Paths in order.
    """
    content, root = FolderContent(), Path(folder)
    left_out = {os.path.realpath(path) for path in leave_out}
    seen = {os.path.realpath(root)}
    folders, links, files = [root], [], []
    while folders or links:
        # What links lead to comes last, so that a plain way to it is taken first.
        here = folders.pop() if folders else links.pop()
        real = os.path.realpath(here)
        if here != root:
            if real in left_out:
                continue
            if is_results_folder(here):
                content.results.append(here)
                continue
            if real in seen:
                content.repeated.append(here)
                continue
            seen.add(real)
        try:
            entries = sorted(os.scandir(here), key=lambda entry: entry.name, reverse=True)
        except OSError as error:
            content.closed.append((here, error.strerror or str(error)))
            continue
        for entry in entries:
            path = here / entry.name
            if entry.name.startswith("."):
                content.n_hidden += 1
            elif os.path.isdir(path):
                (links if entry.is_symlink() else folders).append(path)
            else:
                files.append((entry.is_symlink(), path))
    real_files = set()
    for is_link, path in sorted(files):
        # A link that leads nowhere may be meant as a recording; a pipe or a device is none.
        if not (os.path.isfile(path) or is_link):
            continue
        if _is_copy(path):
            content.copies.append(path)
        elif looks_like_sound(path):
            real = os.path.realpath(path)
            (content.repeated if real in real_files else content.sounds).append(path)
            real_files.add(real)
        elif not os.path.exists(path):
            content.dead.append(path)
    content.sounds.sort()
    return content


def all_files(folder):
    """Yield every file below a folder, also through links, each folder once."""
    seen, folders = set(), [Path(folder)]
    while folders:
        here = folders.pop()
        real = os.path.realpath(here)
        if real in seen:
            continue
        seen.add(real)
        try:
            entries = list(os.scandir(here))
        except OSError:  # the job that lists the recordings says so
            continue
        for entry in entries:
            path = here / entry.name
            if os.path.isdir(path):
                folders.append(path)
            else:
                yield path


def there_as(path):
    """Path of a file as the disk spells it, where its names differ in the normal form alone.

    Parameters
    ----------
    path : Path

    Returns
    -------
    path : Path
        `path` itself where it is there, or where nothing or more than one thing looks like it.
    """
    if os.path.lexists(path) or path == path.parent:
        return path
    folder = there_as(path.parent)
    if not os.path.isdir(folder):
        return path
    alike = [name for name in os.listdir(folder) if same_form(name) == same_form(path.name)]
    return folder / alike[0] if len(alike) == 1 else path
