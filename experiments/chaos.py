"""Break commands at random moments, run them again, and compare with unbroken runs.

    python experiments/chaos.py --trials 5

Each command is stopped by a signal, a full or read-only disk, the death of a worker,
or by its folder being taken away, and called again. Afterwards the outputs must be
those of an unbroken run, without a half or left-over file at any time. Prints a table
of counts, and exits with 1 if anything was lost. For Linux; each command runs in a
fork, so that the moments fall into its work and not into the imports. Where the user
may mount, a disk is a small tmpfs; else a full one is a limit on the size of a file,
and a read-only one is a matter of rights.
"""

import argparse
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from _chaos_commands import kill_worker, make_commands, outputs

# The exit codes that an event may lead to; 0 where it came too late to matter.
CODES = {
    "SIGKILL": {0, -signal.SIGKILL},
    "SIGTERM": {0, -signal.SIGTERM},
    "SIGINT": {0, 130},
    "full disk": {0, 2},
    "read-only disk": {0, 2},
    "folder renamed": {0, 2},
    "folder removed": {0, 2},
    "SIGKILL in /dev/shm": {0, -signal.SIGKILL},
}
# A worker of joblib dies with the whole, Dask starts another one.
OF_WORKERS = {
    "worker killed": {0, 2},
    "SIGKILL": {0, -signal.SIGKILL},
    "SIGINT": {0, 130},
}
WITH_WORKERS = ("joblib", "dask")
# A run that is broken and does not end in so many seconds hangs.
PATIENCE = 120


def start(command, output, limit=None):
    """Run a command in a fork; return its process and a file of what it writes."""
    log = tempfile.TemporaryFile()  # noqa: SIM115
    process = os.fork()
    if process:
        return process, log
    code = 1
    try:
        os.setsid()  # what it leaves running can be found
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        command.run(output)
        code = 0
    except SystemExit as done:
        code = done.code
    except KeyboardInterrupt:  # before or after the command
        code = 130
    except (OSError, ValueError, RuntimeError) as error:  # of a script, in one line
        print(f"{type(error).__name__}: {error}", flush=True)
        code = 2
    finally:
        with suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code or 0)


def wait(process, log):
    """Return the exit code of a process, negative for a signal, and what it wrote."""
    end = time.monotonic() + PATIENCE
    while not (done := os.waitpid(process, os.WNOHANG))[0]:
        if time.monotonic() > end:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            return "hangs", _text(log)
        time.sleep(0.005)
    return os.waitstatus_to_exitcode(done[1]), _text(log)


def _text(log):
    log.seek(0)
    return log.read().decode(errors="replace")


def can_mount():
    """Return whether disks of a few megabytes can be made."""
    with tempfile.TemporaryDirectory() as folder, mounted(Path(folder), 1) as is_disk:
        return is_disk


@contextmanager
def mounted(folder, n_pages):
    """Mount a small disk on a folder; yield whether that is allowed."""
    options = f"size={4 * n_pages}k"
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    is_disk = shutil.which("mount") is not None
    is_disk = is_disk and not subprocess.run(command, capture_output=True).returncode
    try:
        yield is_disk
    finally:
        if is_disk:
            subprocess.run(["umount", "-l", str(folder)], check=True)


def remount(folder, options):
    """Change a disk while it is used; a busy one cannot become read-only."""
    command = ["mount", "-o", f"remount,{options}", str(folder)]
    return subprocess.run(command, capture_output=True).returncode == 0


def find_halves(folder, whole):
    """Name the files that are neither whole nor tables of the images done so far."""
    bad, now = [], {}
    try:
        now = outputs(folder)
    except Exception as error:  # what cannot be read is no whole file
        bad.append(f"half: {error!r}")
    for name, content in now.items():
        is_unfinished = any(x.startswith(".pseudocell-") for x in Path(name).parts)
        # The last line of found.jsonl may be half: it is cut off.
        if is_unfinished or name == "found.jsonl":
            continue
        is_good = content == whole.get(name)
        if name.endswith(".csv") and isinstance(content, bytes):
            lines = content.splitlines(keepends=True)
            is_good = set(lines) <= set(whole[name].splitlines(keepends=True))
            is_good &= len(lines) == len(set(lines)) and bool(lines)
        if not is_good:
            bad.append(f"half: {name}")
    return bad


class Trial:
    """One run that is broken off, and the next one, which has to end well."""

    def __init__(self, command, event, work, unbroken, generator, has_disks):
        self.command, self.event, self.generator = command, event, generator
        self.seconds, self.whole = unbroken
        self.has_disks = has_disks
        parent = Path("/dev/shm") if "/dev/shm" in event else work
        self.folder = Path(tempfile.mkdtemp(prefix="chaos-", dir=parent))

    def run(self):
        """Return whether the first run was broken off, and what went wrong."""
        needs_disk = self.event.endswith("disk") and self.has_disks
        size = sum(len(x) if isinstance(x, bytes) else 50_000 for x in self._contents())
        n_pages = self.generator.randrange(1, 2 + size // 4096)
        n_pages = n_pages if self.event == "full disk" else 10_000
        try:
            if not needs_disk:
                return self._run()
            with mounted(self.folder, n_pages):
                return self._run()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _contents(self):
        for content in self.whole.values():
            yield from content.values() if isinstance(content, dict) else [content]

    def _run(self):
        limit, output = None, self.folder / self.command.target
        if self.event == "full disk" and not self.has_disks:
            limit = self.generator.randrange(1, 10_000)
        process, log = start(self.command, output, limit)
        self._happen(process)
        code, text = wait(process, log)
        codes = OF_WORKERS if self.command.name in WITH_WORKERS else CODES
        lost = []
        if code not in codes[self.event]:
            lost.append(f"exit {code}: {text[-300:]}")
        if "Traceback" in text and self.command.name not in WITH_WORKERS:
            lost.append(f"a traceback: {text[-300:]}")
        if self.folder.exists():
            lost += find_halves(self.folder, self.whole)
        if self.event.endswith("disk") and self.has_disks:
            remount(self.folder, "size=40m,rw")
        self.folder.mkdir(exist_ok=True)
        self.folder.chmod(0o700)
        second, log = start(self.command, output)
        again, text = wait(second, log)
        for group in (process, second):  # workers that have outlived the whole
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
        if again:
            lost.append(f"exit {again} of the second run: {text[-300:]}")
        elif (now := outputs(self.folder)) != self.whole:
            names = {*now, *self.whole}
            differ = {k for k in names if now.get(k) != self.whole.get(k)}
            lost.append(f"differs: {sorted(differ)}")
        return code != 0, lost

    def _happen(self, process):
        if self.event == "full disk":
            return
        time.sleep(self.generator.uniform(0, self.seconds))
        if self.event == "worker killed":
            kill_worker(process, self.generator)
        elif self.event == "folder renamed":
            gone = Path(tempfile.mkdtemp(dir=self.folder.parent))
            self.folder.rename(gone / "gone")
        elif self.event == "folder removed":
            shutil.rmtree(self.folder, ignore_errors=True)
        elif self.event == "read-only disk" and self.has_disks:
            while not remount(self.folder, "ro") and self._is_alive(process):
                time.sleep(0.001)
        elif self.event == "read-only disk":
            self.folder.chmod(0o500)
        elif self.event == "SIGINT":  # as from a terminal, to the workers too
            try:
                os.killpg(process, signal.SIGINT)
            except ProcessLookupError:  # it is not yet a group of its own
                os.kill(process, signal.SIGINT)
        else:
            os.kill(process, getattr(signal, self.event.split()[0]))

    def _is_alive(self, process):
        return (
            os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
        )


def run(n_trials, seed, only=None, is_quick=False):
    """Try all events on all commands; print a table and return the number lost."""
    generator = random.Random(seed)
    n_lost, has_disks = 0, can_mount()
    print("| command | event | tried | broken off | survived | lost |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        commands = make_commands(work)
        for number, command in enumerate(commands):
            if is_quick and command.name in WITH_WORKERS:
                continue
            is_wanted = only is None or command.name in only
            if not is_wanted and command.name != "fit":
                continue
            folder = work / f"whole-{command.name}"
            folder.mkdir()
            began = time.monotonic()
            code, text = wait(*start(command, folder / command.target))
            if code:
                raise RuntimeError(text)
            unbroken = time.monotonic() - began, outputs(folder)
            if command.name == "fit":
                shutil.copy(folder / command.target, work / command.target)
            events = [*(OF_WORKERS if command.name in WITH_WORKERS else CODES)]
            if is_quick:  # two of each, all of them in turn
                events = [events[(2 * number + k) % len(events)] for k in (0, 1)]
            for event in events if is_wanted else ():
                trials = [
                    Trial(command, event, work, unbroken, generator, has_disks).run()
                    for _ in range(n_trials)
                ]
                n_lost += report(command.name, event, trials)
    return n_lost


def report(command, event, trials):
    """Print a row of the table, and what was lost; return how many were."""
    hit = sum(was_hit for was_hit, _ in trials)
    faults = [lost for _, lost in trials if lost]
    counts = f"{len(trials)} | {hit} | {len(trials) - len(faults)} | {len(faults)}"
    print(f"| {command} | {event} | {counts} |", flush=True)
    for lost in faults:
        print("\n".join(lost), file=sys.stderr, flush=True)
    return len(faults)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=5, help="of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", help="names of commands")
    parser.add_argument("--quick", action="store_true", help="two of each command")
    given = parser.parse_args()
    n_trials = 1 if given.quick else given.trials
    sys.exit(run(n_trials, given.seed, given.only, given.quick) > 0)
