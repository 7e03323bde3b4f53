import numpy as np
import pytest

from tfseg.errors import DataError
from tfseg.mixing.remixing import StemReader, Stems
from tfseg.reporting.examples import choose_stems


class _Reader:
    """Mixtures with events of these classes; counts reads of each."""

    path = "stems.h5"

    def __init__(self, *classes_of, kind="mixture"):
        self.most_events = max(map(len, classes_of))
        self._classes_of, self._kind, self.n_read = classes_of, kind, 0

    def __iter__(self):
        for name, classes in enumerate(self._classes_of):
            self.n_read += 1
            events = [(k, 0, np.zeros(1)) for k in classes]
            yield Stems(str(name), 1, np.zeros(1), events, {}, self._kind)


@pytest.mark.parametrize(
    ("classes_of", "chosen", "n_read"),
    [
        ([(0, 0), (0, 1), (1, 2)], "1", 2),
        ([(0,), (0, 0, 1), (0, 1, 2), (2, 1, 0)], "2", 3),  # a number of events for each
        ([(0, 0), (1, 1)], "0", 2),
    ],
)
def test_the_example_is_the_first_mixture_with_as_many_classes_as_any(classes_of, chosen, n_read):
    reader = _Reader(*classes_of)
    assert choose_stems(reader).mixture == chosen
    assert reader.n_read == n_read


def test_an_example_needs_a_mixture_with_events():
    for reader in (_Reader((), ()), _Reader((0,), kind="events")):
        with pytest.raises(DataError, match=r"stems\.h5: expected a mixture with events"):
            choose_stems(reader)


def test_stems_know_their_largest_number_of_events(tiny_stems, render, tiny_plan, tmp_path):
    assert StemReader(tiny_stems).most_events == 2
    alone = render(tmp_path / "s.h5", tiny_plan.mixtures, tiny_plan.events[:0])
    assert StemReader(alone).most_events == 0
