"""pseudocell completion: what makes a shell complete commands, options and files."""

import click
from click.shell_completion import get_completion_class

__all__ = ["completion"]


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx, shell):
    """Print what lets SHELL complete commands, options and files.

    Add to ~/.bashrc or ~/.zshrc: eval "$(pseudocell completion bash)", or zsh. For
    fish: pseudocell completion fish > ~/.config/fish/completions/pseudocell.fish
    """
    program = ctx.find_root().command
    variable = "_PSEUDOCELL_COMPLETE"
    complete = get_completion_class(shell)(program, {}, "pseudocell", variable)
    click.echo(complete.source())
