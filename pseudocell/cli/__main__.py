"""Run the command line as ``python -m pseudocell.cli``."""

from pseudocell.cli import main

if __name__ == "__main__":
    main(prog_name="pseudocell")
