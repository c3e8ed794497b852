"""What the commands show: tables, progress, warnings and mistakes in one line."""

import shlex
import sys
import time
import warnings
from contextlib import contextmanager

import click

__all__ = [
    "OneLineGroup",
    "Stopped",
    "be_quiet",
    "command_line",
    "counted",
    "is_terminal",
    "progress",
    "say",
    "table_line",
    "tell",
]

# Exit codes: 2 is click's for a user's mistake, 130 the shell's after Ctrl-C.
MISTAKE, STOPPED = 2, 130
# Names of parameters that are files or folders.
FILES = {"files", "images", "model", "output", "points", "report", "truth"}
# What a command remembers of how it was called.
TYPED, QUIET = "pseudocell.typed", "pseudocell.quiet"
# Seconds between two lines of progress where there is no terminal for a bar.
LINE_INTERVAL = 10.0


class Stopped(click.ClickException):
    """The user pressed Ctrl-C; the message says what is finished."""

    exit_code = STOPPED


class OneLineGroup(click.Group):
    """A group of commands that answers a mistake with one line on stderr.

    A ``ValueError`` or ``OSError`` is taken for the user's mistake, and shown without
    its traceback unless ``--debug`` is given.
    """

    def add_command(self, cmd, name=None):
        """Add a command, whose files a shell can complete."""
        for param in cmd.params:
            if param.name in FILES and param.type is click.STRING:
                param.type = click.Path()
        super().add_command(cmd, name)

    def make_context(self, info_name, args, parent=None, **extra):
        """Remember what was typed, for the record that a report keeps."""
        typed = shlex.join(["pseudocell", *args])
        ctx = super().make_context(info_name, args, parent, **extra)
        ctx.meta[TYPED] = typed
        return ctx

    def invoke(self, ctx):
        """Run the command, and turn its errors into messages."""
        try:
            return super().invoke(ctx)
        except (ValueError, OSError) as error:
            if ctx.params.get("debug"):
                raise
            raise click.ClickException(str(error)) from error

    def main(self, *args, standalone_mode=True, **kwargs):
        """Run the program and exit with its code."""
        if not standalone_mode:
            return super().main(*args, standalone_mode=False, **kwargs)
        with _one_line_warnings():
            try:
                code = super().main(*args, standalone_mode=False, **kwargs)
            except click.ClickException as error:
                code = error.exit_code if isinstance(error, Stopped) else MISTAKE
                warn(f"pseudocell: {_message(error)}")
            except click.Abort:
                code = STOPPED
                warn("pseudocell: Stopped; nothing was written.")
        sys.exit(code if isinstance(code, int) else 0)


def command_line():
    """Return what the user has typed, as a shell would take it again."""
    ctx = click.get_current_context(silent=True)
    return ctx and ctx.meta.get(TYPED)


def is_quiet():
    """Tell whether the user wants to hear of warnings and mistakes alone."""
    ctx = click.get_current_context(silent=True)
    return bool(ctx and ctx.meta.get(QUIET))


def be_quiet(ctx, param, value):
    """Remember what ``--quiet`` says: the callback of that option."""
    ctx.meta[QUIET] = value


def tell(text):
    """Write a line of the result to stdout."""
    if not is_quiet():
        click.echo(text)


def say(text):
    """Write a line of progress to stderr, above any progress bar."""
    if not is_quiet():
        warn(text)


def warn(text):
    """Write a line to stderr that is heard in any case."""
    if "tqdm" in sys.modules:
        sys.modules["tqdm"].tqdm.write(text, file=sys.stderr)
    else:
        click.echo(text, err=True)


def is_terminal():
    """Tell whether somebody watches, so that progress bars make sense."""
    return sys.stderr.isatty() and not is_quiet()


def progress(batches, total, description):
    """Yield batches, and show how many of their items are done.

    Parameters
    ----------
    batches : iterable of sequences
        The work.
    total : int
        Number of items in all of them.
    description : str
        What is done.

    Yields
    ------
    batch : sequence
        Each of them.
    """
    if is_terminal():
        from tqdm import tqdm

        with tqdm(total=total, desc=description, unit="image", leave=False) as bar:
            for batch in batches:
                yield batch
                bar.update(len(batch))
        return
    done, last = 0, time.monotonic()
    for batch in batches:
        yield batch
        done += len(batch)
        if time.monotonic() - last > LINE_INTERVAL:
            last = time.monotonic()
            say(f"{description}: {done} of {total} images")


def counted(number, thing):
    """Return "1 image" or "2 images"."""
    return f"{number} {thing}{'s' * (number != 1)}"


def table_line(cells, widths):
    """Format a line of a table: the first column to the left, others to the right.

    Parameters
    ----------
    cells : sequence of str, int, float or None
        Floats get three decimals, None a dash.
    widths : sequence of int
        Characters of each column.

    Returns
    -------
    line : str
        The line.
    """
    texts = []
    for cell in cells:
        if cell is None:
            texts.append("-")
        else:
            texts.append(f"{cell:.3f}" if isinstance(cell, float) else str(cell))
    first, *others = zip(texts, widths, strict=True)
    return "  ".join([first[0].ljust(first[1])] + [text.rjust(n) for text, n in others])


def _message(error):
    text = " ".join(error.format_message().split())
    if isinstance(error, click.UsageError) and error.ctx is not None:
        text += f" See {error.ctx.command_path} --help."
    return text


@contextmanager
def _one_line_warnings():
    def show(message, category, filename, lineno, file=None, line=None):
        warn("warning: " + " ".join(str(message).split()))

    with warnings.catch_warnings():
        warnings.simplefilter("default", UserWarning)
        warnings.showwarning = show
        yield
