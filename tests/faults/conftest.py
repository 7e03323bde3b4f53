"""Faults and bad input: long tests on demand, and a printed count of attempts."""

from collections import Counter

import hypothesis
import pytest

from tfseg.errors import TfsegError

# In CI always the same few examples; with --long many, and new ones each time.
hypothesis.settings.register_profile(
    "quick", max_examples=40, derandomize=True, deadline=None, database=None
)
hypothesis.settings.register_profile("long", max_examples=1500, deadline=None, database=None)

_COUNTS = pytest.StashKey()


class Tally:
    """Counts attempts by kind of input and outcome."""

    def __init__(self):
        self.counts = Counter()

    def add(self, kind, outcome):
        self.counts[kind, outcome] += 1

    def attempt(self, kind, work, *, names):
        """Try bad input: it works, or is refused with a message that names the cause.

        Parameters
        ----------
        kind : str
            Row of the table that is printed.
        work : callable
        names : str or sequence of str
            Texts that the message must contain.

        Returns
        -------
        result
            Result of `work`; None if it was refused.
        refused : bool
        """
        try:
            result = work()
        except TfsegError as error:
            for name in [names] if isinstance(names, str) else names:
                assert name in str(error), f"expected the message to name {name!r}: {error}"
            self.add(kind, "refused")
            return None, True
        self.add(kind, "handled")
        return result, False


def pytest_configure(config):
    config.stash[_COUNTS] = Tally()
    hypothesis.settings.load_profile("long" if config.getoption("--long") else "quick")


def pytest_sessionfinish(session):
    """Pass the counts of one of several processes to the one that prints (pytest -n)."""
    if hasattr(session.config, "workeroutput"):
        counts = session.config.stash[_COUNTS].counts
        session.config.workeroutput["tally"] = [[*key, n] for key, n in counts.items()]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    for kind, outcome, n in getattr(node, "workeroutput", {}).get("tally", []):
        node.config.stash[_COUNTS].counts[kind, outcome] += n


def pytest_terminal_summary(terminalreporter, config):
    counts = config.stash[_COUNTS].counts
    if not counts:
        return
    terminalreporter.section("bad input and damage: counts")
    terminalreporter.write_line(f"{'kind':<44} {'tried':>7} {'refused':>8} {'handled':>8}")
    rows = [*sorted({kind for kind, _ in counts}), None]
    for kind in rows:
        refused, handled = (
            sum(n for (k, o), n in counts.items() if o == outcome and kind in (k, None))
            for outcome in ("refused", "handled")
        )
        terminalreporter.write_line(
            f"{kind or 'all':<44} {refused + handled:>7} {refused:>8} {handled:>8}"
        )
    terminalreporter.write_line("A passed test lost nothing and let no wrong value through.")


@pytest.fixture(scope="session")
def tally(pytestconfig):
    return pytestconfig.stash[_COUNTS]


@pytest.fixture
def only_long(pytestconfig):
    """Skip a test that takes minutes, unless it was requested."""
    if not pytestconfig.getoption("--long"):
        pytest.skip("takes minutes: pytest tests/faults --long")
