"""Parts of the evidence: each is done once for a code and a device, and written whole or not."""

import math
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

import torch

from gpu_evidence.setting import code_digest
from tfseg.io.files import read_json, write_json
from tfseg.training.state import Interrupted


class TimeIsUpError(Exception):
    """The time that was given has passed; what is missing is done by another call."""


def device_facts(device):
    """Facts about the device that results depend on."""
    if device == "cpu":
        return {"name": "cpu", "torch": torch.__version__}
    return {
        "name": torch.cuda.get_device_name(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
        "capability": list(torch.cuda.get_device_capability()),
        "memory_gib": round(torch.cuda.get_device_properties(0).total_memory / 2**30, 1),
    }


def check(name, found, limit, *, at_least=False):
    """Row of a check: a value, and the limit that it must keep (NaN keeps none)."""
    passed = found >= limit if at_least else found <= limit
    return {
        "check": name,
        # JSON has no NaN.
        "found": float(found) if math.isfinite(found) else str(found),
        "must be": f"{'at least' if at_least else 'at most'} {limit:g}",
        "passed": bool(passed),
    }


@dataclass(frozen=True)
class Part:
    """One part.

    Attributes
    ----------
    name : str
        Of its file.
    table : str
        Name of the table that its rows belong to.
    least_s : float
        Seconds that must be left, or it is not begun.
    work : callable
        Returns the rows (dicts); those with the key ``passed`` are checks.
    """

    name: str
    table: str
    least_s: float
    work: object


class Evidence:
    """The parts that are done, in a folder.

    Parameters
    ----------
    setting : gpu_evidence.setting.Setting
    seconds : float
        For this call.
    log : callable
    """

    def __init__(self, setting, seconds, log=print):
        self._setting, self._log = setting, log
        self._stop_s = time.monotonic() + seconds
        self._identity = {
            "code": code_digest(),
            "device": device_facts(setting.device),
            "small": setting.small,
        }

    @property
    def left_s(self):
        """Seconds left in this call."""
        return self._stop_s - time.monotonic()

    def _path(self, part):
        return Path(self._setting.folder, "parts", f"{part.name}.json")

    def read(self, part):
        """Result of a part for this code and device; None where there is none."""
        path = self._path(part)
        if not path.is_file():
            return None
        found = read_json(path)
        if any(found[key] != value for key, value in self._identity.items()):
            return None
        columns = found.pop("columns")  # JSON sorts keys
        found["rows"] = [{key: row[key] for key in columns if key in row} for row in found["rows"]]
        return found

    def do(self, part):
        """Do a part unless it is done; one that fails is written as failed, and tried again."""
        known = self.read(part)
        if known is not None and known["error"] is None:
            return
        if self.left_s < part.least_s:
            raise TimeIsUpError(f"{part.name}: needs {part.least_s:.0f} s")
        started_s, rows, error = time.monotonic(), [], None
        try:
            rows = part.work()
        except (Interrupted, TimeIsUpError) as stopped:
            raise TimeIsUpError(f"{part.name}: {stopped}") from stopped
        except Exception as failure:  # written as failed, and the exit status says so
            traceback.print_exc()
            error = f"{type(failure).__name__}: {failure}"
        seconds = time.monotonic() - started_s
        result = {
            "part": part.name,
            "table": part.table,
            "columns": list(dict.fromkeys(key for row in rows for key in row)),
            "rows": rows,
            "error": error,
            "seconds": round(seconds, 1),
        }
        write_json(self._path(part), self._identity | result)
        failed = [row["check"] for row in rows if not row.get("passed", True)]
        state = error or (f"FAILED: {', '.join(failed)}" if failed else "done")
        self._log(f"{part.name:32s} {seconds:7.1f} s  {state}")
