"""A one-node Slurm on this machine: started without systemd and without accounting.

It needs root, and packages of envs/system_packages.txt. Its configuration must lie in /etc/slurm,
since job steps look nowhere else once Snakemake's plugin has cleared Slurm's variables; so it is only
started where no Slurm is configured, and takes its files away again.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psutil
from system_packages import install_command

ETC = Path("/etc/slurm")
CONFIGS = [ETC / "slurm.conf", ETC / "gres.conf"]
MARK = "# Written by tfseg's tests/support/one_node_slurm.py for a test; safe to delete.\n"
PROGRAMS = ("slurmctld", "slurmd", "munged", "sbatch", "squeue", "scancel")
FOLDER = Path(tempfile.gettempdir()) / "tfseg-one-node-slurm"
MUNGE_SOCKET = Path("/run/munge/munge.socket.2")
# The status is polled more often than on a shared cluster.
THROUGH_SLURM = (
    "--workflow-profile",
    "profiles/slurm",
    "--slurm-init-seconds-before-status-checks",
    "3",
    "--seconds-between-status-checks",
    "3",
)
# Where no job has ended the plugin waits 10 s longer each time: for jobs of seconds that is most of a test.
ASKING_OFTEN = """
import snakemake_executor_plugin_slurm as slurm_plugin
slurm_plugin.Executor.next_seconds_between_status_checks = property(lambda _: 1, lambda _, seconds: None)
"""


def ask_often(project):
    """Let the Snakefile of a project's copy ask Slurm for its jobs every second; returns it."""
    with (project.folder / "Snakefile").open("a") as snakefile:
        snakefile.write(ASKING_OFTEN)
    return project


def obstacle():
    """Say why no cluster can be started here; None if it can."""
    if os.geteuid() != 0:
        return "expected to be root, who alone may start Slurm's daemons"
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        return f"{', '.join(missing)} not found: {install_command('cluster')}"
    if "SLURM_CONF" in os.environ:
        return f"a Slurm is configured on this machine: SLURM_CONF={os.environ['SLURM_CONF']}"
    for path in CONFIGS:
        if path.exists() and not path.read_text().startswith(MARK):
            return f"a Slurm is configured on this machine: {path}"
    return None


def _configuration():
    """Text of slurm.conf and of gres.conf for this machine."""
    host = socket.gethostname().split(".")[0]
    ports = _free_ports(2)
    slurm = f"""{MARK}
ClusterName=tfseg
SlurmctldHost={host}
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
MpiDefault=none
# Without systemd and cgroups:
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
# Without a data base. Each job that ended is a line of text, which outlives MinJobAge.
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc={FOLDER}/ended.txt
MinJobAge=300
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
# Cores and memory are only booked here: small jobs of the tests ask for as much as the paper's.
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=2,bf_interval=2
KillWait=5
ReturnToService=2
StateSaveLocation={FOLDER}/state
SlurmdSpoolDir={FOLDER}/spool
SlurmctldPidFile={FOLDER}/slurmctld.pid
SlurmdPidFile={FOLDER}/slurmd.pid
SlurmctldLogFile={FOLDER}/slurmctld.log
SlurmdLogFile={FOLDER}/slurmd.log
GresTypes=gpu
NodeName={host} CPUs=8 Boards=1 SocketsPerBoard=1 CoresPerSocket=8 ThreadsPerCore=1 RealMemory=64000 Gres=gpu:1 State=UNKNOWN
DefMemPerCPU=500
PartitionName=cpu Nodes={host} Default=YES MaxTime=INFINITE State=UP
PartitionName=gpu Nodes={host} MaxTime=INFINITE State=UP
"""
    # A count alone is refused; any device file works for a GPU that is not used.
    return slurm, f"{MARK}NodeName={host} Name=gpu File=/dev/null\n"


def _free_ports(number):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("", 0))
        return [one.getsockname()[1] for one in sockets]


def _run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def _munge_answers():
    return subprocess.run(["munge", "-n"], capture_output=True).returncode == 0


def _start_munge():
    """Start munged if none answers."""
    if _munge_answers():
        return
    MUNGE_SOCKET.parent.mkdir(parents=True, exist_ok=True)
    shutil.chown(MUNGE_SOCKET.parent, "munge", "munge")
    MUNGE_SOCKET.parent.chmod(0o755)
    with (FOLDER / "munged.log").open("w") as log:
        process = subprocess.Popen(
            ["/usr/sbin/munged", "--foreground"],
            stdout=log,
            stderr=log,
            user="munge",
            group="munge",
        )
    (FOLDER / "munged.pid").write_text(str(process.pid))
    _wait_for(_munge_answers, "munged")


def _wait_for(condition, what, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            logs = "\n".join(path.read_text()[-2000:] for path in FOLDER.glob("*.log"))
            raise RuntimeError(f"{what} was not ready within {seconds} s\n{logs}")
        time.sleep(0.2)


def _stop_daemons():
    """End the daemons whose ids lie in our folder, from this run or one that was killed."""
    for name in ("slurmd", "slurmctld", "munged"):
        pid_file = FOLDER / f"{name}.pid"
        with contextlib.suppress(OSError, ValueError, psutil.Error):
            process = psutil.Process(int(pid_file.read_text()))
            if process.name() == name:
                process.terminate()
                try:
                    process.wait(timeout=20)
                except psutil.TimeoutExpired:
                    process.kill()


def _cancel_all():
    """Cancel every job and wait until none is left."""
    subprocess.run(["scancel", "--user=root"], capture_output=True, timeout=60)
    _wait_for(lambda: not _run("squeue", "--noheader"), "the empty queue", seconds=40)


def _remove():
    """Stop jobs and daemons, and remove our files."""
    if (FOLDER / "slurmctld.pid").exists():
        with contextlib.suppress(RuntimeError, subprocess.SubprocessError):
            _cancel_all()
    _stop_daemons()
    for path in CONFIGS:
        if path.exists() and path.read_text().startswith(MARK):
            path.unlink()
    shutil.rmtree(FOLDER, ignore_errors=True)


@contextlib.contextmanager
def one_node_slurm():
    """Run a one-node cluster with one pretended GPU; remove everything at the end.

    Yields
    ------
    folder : Path
        ``ended.txt`` in it has a line for each job that ended.

    Raises
    ------
    RuntimeError
        If a daemon does not come up; the message holds their logs.
    """
    assert obstacle() is None, obstacle()
    with (Path(tempfile.gettempdir()) / "tfseg-one-node-slurm.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another run of these tests: one after the other
        _remove()  # files of a killed run
        # Clean up also if the tests are ended from outside (`timeout`, CI).
        previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            for folder in ("state", "spool"):
                (FOLDER / folder).mkdir(parents=True)
            ETC.mkdir(exist_ok=True)
            for path, text in zip(CONFIGS, _configuration(), strict=True):
                path.write_text(text)
            _start_munge()
            _run("slurmctld", "-f", str(CONFIGS[0]))
            _run("slurmd", "-f", str(CONFIGS[0]))
            _wait_for(
                lambda: _run("sinfo", "--noheader", "--format=%T").split()[:1] == ["idle"], "slurmd"
            )
            yield FOLDER
        finally:
            signal.signal(signal.SIGTERM, previous)
            _remove()


def ended_jobs(folder, work_dir):
    """Ended jobs of a working directory, from Slurm's log: JobState, StartTime, ..."""
    lines = (folder / "ended.txt").read_text().splitlines()
    return [
        dict(part.split("=", 1) for part in line.split() if "=" in part)
        for line in lines
        if f"WorkDir={work_dir} " in line
    ]
