"""Work on many items in several processes; a process that dies costs the item it worked on."""

import multiprocessing
import signal
import sys
from multiprocessing import connection

from tfseg.errors import TfsegError

_PATIENCE_S = 10.0  # of a process that is to end


class WorkerDiedError(TfsegError):
    """A process ended in the midst of its work: killed by the system, or by a library's fault."""

    def __init__(self, exit_code):
        if exit_code is not None and exit_code < 0:
            how = f"was killed ({signal.Signals(-exit_code).name})"
        else:
            how = f"ended with exit code {exit_code}"
        super().__init__(
            f"its process {how}. If memory ran out, use fewer --workers or a smaller --batch-size"
        )


def _serve(channel, prepare):
    """Run in a process: prepare, then answer each item with its result or its error."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the main process, which ends this
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that scratch files are removed
    try:
        work = prepare()
        channel.send((None, None))
        while True:
            item = channel.recv()
            try:
                result, fault = work(item), None
            except Exception as error:
                result, fault = None, error
            channel.send((result, fault))
    except (EOFError, BrokenPipeError):  # the main process is gone: nobody waits for an answer
        return


class _Worker:
    """A process, and the number of the item that it works on."""

    def __init__(self, prepare):
        # Not forked: torch's threads do not survive that.
        context = multiprocessing.get_context("spawn")
        self.channel, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, prepare), daemon=True)
        self.process.start()
        theirs.close()  # so that its death closes the channel
        self.item = None

    def receive(self):
        """Return a result and an error; raises `WorkerDiedError` where the process is gone."""
        try:
            return self.channel.recv()
        except (EOFError, OSError):
            self.process.join()
            raise WorkerDiedError(self.process.exitcode) from None

    def give(self, number, item):
        """Let it work on an item."""
        self.item = number
        try:
            self.channel.send(item)
        except BrokenPipeError:
            return  # it died between two items: `receive` says so

    def stop(self):
        """End it, whatever it does."""
        self.process.terminate()
        self.process.join(_PATIENCE_S)
        self.process.kill()
        self.process.join()
        self.channel.close()


def in_processes(prepare, items, n_workers, *, died):
    """Work on items in several processes; yield the results in the order of the items.

    Parameters
    ----------
    prepare : callable
        Is called once in each process, and returns the function that is called with each item.
        It is pickled, as items and results are.
    items : sequence
    n_workers : int
    died : callable
        ``died(item, error)`` is the result of an item whose process died (`WorkerDiedError`).

    Yields
    ------
    result
        Of each item. Results that come before their turn wait for it.

    Raises
    ------
    Exception
        Of `prepare` or of the function, which ends all processes.
    WorkerDiedError
        When all processes died before they took an item.
    """
    workers = [_Worker(prepare) for _ in range(min(n_workers, len(items)))]
    results, n_given = {}, 0
    try:
        for turn in range(len(items)):
            while turn not in results:
                ready = connection.wait([worker.channel for worker in workers])
                for worker in [worker for worker in workers if worker.channel in ready]:
                    try:
                        result, error = worker.receive()
                    except WorkerDiedError as death:
                        workers.remove(worker)
                        if worker.item is not None:
                            results[worker.item] = died(items[worker.item], death)
                            if n_given < len(items):
                                workers.append(_Worker(prepare))
                        elif not workers:
                            raise
                        continue  # one that died before it took an item is not started again
                    if error is not None:
                        raise error
                    if worker.item is not None:
                        results[worker.item] = result
                    if n_given < len(items):
                        worker.give(n_given, items[n_given])
                        n_given += 1
                    else:
                        workers.remove(worker)
                        worker.stop()
            yield results.pop(turn)
    finally:
        for worker in workers:
            worker.stop()
