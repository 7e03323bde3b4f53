"""What a person answered: a table that only grows, so that no answer is lost."""

import csv
import io
import os
from datetime import UTC, datetime
from pathlib import Path

from tfseg.errors import DamagedFileError, DataError, NotWrittenError

YES, NO, UNSURE = "yes", "no", "unsure"
ANSWERS = (YES, NO, UNSURE)
_UNDONE = "undone"
COLUMNS = ["step", "stretch", "label", "answer", "time_utc"]
FILE = "answers.csv"


def _line(row):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(row)
    return text.getvalue()


class Answers:
    """The answers of a review, on disk after each one.

    A step is what one key answered: a class of a stretch, or several classes at once. Rows are only
    added. One that a kill cut short is removed when the file is opened again; nobody was told that
    it was kept. Taking back a step adds its rows again, as ``undone``.

    Parameters
    ----------
    path : path-like
        The table; made if it is not there. The caller sees to it that no other process writes to it.
    questions : dict of int to sequence of str
        Classes by the number of the stretch.

    Raises
    ------
    DamagedFileError
        When the table holds something else, or answers to other questions.
    """

    def __init__(self, path, questions):
        self._path, self._questions = Path(path), questions
        self._steps: dict[int, dict] = {}
        self._last = 0
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            self._read()
        except BaseException:
            self.close()
            raise

    def _read(self):
        content = self._path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            os.ftruncate(self._file, len(whole))
        if not whole:
            self._append([COLUMNS])
            self._keep_name()
            return
        try:
            header, *rows = csv.reader(io.StringIO(whole.decode("utf-8"), newline=""))
        except (UnicodeDecodeError, csv.Error) as error:
            raise DamagedFileError(f"{self._path}: expected answers, found {error}") from None
        if header != COLUMNS:
            raise DamagedFileError(
                f"{self._path}: expected the columns {', '.join(COLUMNS)}, found {', '.join(header)}"
            )
        for line, row in enumerate(rows, start=2):
            self._take(line, row)

    def _keep_name(self):
        """Wait until the disk has the new file's name, too."""
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _take(self, line, row):
        where = f"{self._path}, line {line}"
        try:
            step, stretch, label, answer, _ = row
            step, stretch = int(step), int(stretch)
        except ValueError:
            raise DamagedFileError(
                f"{where}: expected {', '.join(COLUMNS)}, found {row}. Remove the line"
            ) from None
        if answer not in (*ANSWERS, _UNDONE) or label not in self._questions.get(stretch, ()):
            raise DamagedFileError(
                f"{where}: expected an answer about a stretch of this review, found {row}. Remove "
                "the line"
            )
        self._last = max(self._last, step)
        if answer == _UNDONE:
            self._steps.pop(step, None)
        else:
            self._steps.setdefault(step, {})[stretch, label] = answer

    def _append(self, rows):
        """Write rows and wait until the disk has them; a full disk leaves the table as it was."""
        content = "".join(map(_line, rows)).encode("utf-8")
        size = os.fstat(self._file).st_size
        try:
            n_written = os.write(self._file, content)
            os.fsync(self._file)
        except OSError as error:
            os.ftruncate(self._file, size)
            raise NotWrittenError(f"{self._path}: {error.strerror or error}") from error
        if n_written < len(content):
            os.ftruncate(self._file, size)
            raise NotWrittenError(f"{self._path}: no space left on the disk")

    def _write_step(self, step, stretch, labels, answer):
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._append([(step, stretch, label, answer, now) for label in labels])

    @property
    def given(self):
        """Answers by (stretch, label)."""
        return {key: answer for step in self._steps.values() for key, answer in step.items()}

    def add(self, stretch, labels, answer):
        """Keep the answer to one question.

        Parameters
        ----------
        stretch : int
        labels : sequence of str
            The class, or several that got one answer.
        answer : {"yes", "no", "unsure"}

        Raises
        ------
        DataError
            When there is no such question, or it was answered; it says which.
        NotWrittenError
            When the disk is full: nothing is kept then.
        """
        known, given = self._questions.get(stretch, ()), self.given
        unknown = [label for label in labels if label not in known]
        if unknown or not labels or answer not in ANSWERS:
            raise DataError(f"expected an answer to a question, found {stretch} {labels} {answer}")
        if answer == YES and len(labels) > 1:
            raise DataError(f"expected {answer} for one class, found it for {len(labels)}")
        answered = [label for label in labels if (stretch, label) in given]
        if answered or len(set(labels)) < len(labels):
            raise DataError(f"expected a question without an answer, found {stretch} {labels}")
        self._write_step(self._last + 1, stretch, labels, answer)
        self._last += 1
        self._steps[self._last] = {(stretch, label): answer for label in labels}

    def undo(self):
        """Take back the last step.

        Returns
        -------
        keys : list of (stretch, label)
            What is a question again; none where there is no step.
        """
        if not self._steps:
            return []
        step = max(self._steps)
        keys = list(self._steps[step])
        self._write_step(step, keys[0][0], [label for _, label in keys], _UNDONE)
        del self._steps[step]
        return keys

    def close(self):
        """Close the table."""
        os.close(self._file)
