"""Text of spreadsheets: encodings, separators, and numbers of many countries."""

import csv
import re

__all__ = ["decode", "parse_numbers", "split_rows"]

SEPARATORS = ",;\t"
# Unicode's marks of byte order.
MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}
# Three letters with accents one after the other are rare in words of Western Europe,
# and common where another encoding is read as Windows-1252.
NOT_WESTERN = re.compile(r"[^\x00-\x7f]{3}")
SIGNS = "µ°²³±×·–—‘’“”€\xa0"


def decode(content, path):
    """Decode the bytes of a table.

    Parameters
    ----------
    content : bytes
        The file.
    path : str or path
        Its name, for the error message.

    Returns
    -------
    text : str
        Of UTF-8, UTF-16, or Windows-1252 (what spreadsheets write in the West).

    Raises
    ------
    ValueError
        If it is none of these, or no text.
    """
    start = next((mark for mark in MARKS if content.startswith(mark)), None)
    try:
        if start is not None:
            return content.decode(MARKS[start])
        if b"\0" in content[:1000]:
            raise ValueError(f"The points {path} cannot be read: it is not text.")
        return content.decode("utf-8")
    except UnicodeError:
        pass
    try:
        text = content.decode("cp1252")
    except UnicodeError:
        text = None
    if text is not None and re.search(r"[\x00-\x08\x0e-\x1f]", text):
        raise ValueError(f"The points {path} cannot be read: it is not text.")
    if (
        start is not None
        or text is None
        or NOT_WESTERN.search(text)
        or any(ord(one) > 127 and not (one.isalpha() or one in SIGNS) for one in text)
    ):
        raise ValueError(
            f"The points {path} cannot be read: the text is neither UTF-8 nor "
            "Windows-1252; save it as CSV UTF-8."
        )
    return text


def split_rows(text, accept):
    """Split a table into rows of cells, by the separator that its header takes.

    Parameters
    ----------
    text : str
        The table. A line ``sep=;`` and comments (#) before the header are passed over.
    accept : callable
        Tells whether a list of column names will do.

    Returns
    -------
    rows : iterator of (int, list of str)
        Number of the line and its cells, the header first.
    separator : str
        Between the cells.
    """
    lines = text.splitlines()
    skip = 0
    separator = None
    while skip < len(lines):
        hint = re.fullmatch(r'"?sep=(.)"?[,;\t]*', lines[skip].strip(" "), re.I)
        if hint:
            separator = hint[1]
        elif lines[skip].strip() and not lines[skip].startswith("#"):
            break
        skip += 1
    lines = lines[skip:]

    def header(mark):
        return next(csv.reader(lines[:1], delimiter=mark), [])

    if separator is None:
        fit = [mark for mark in SEPARATORS if accept(header(mark))]
        separator = max(fit or SEPARATORS, key=lambda mark: len(header(mark)))
    reader = csv.reader(lines, delimiter=separator)
    return ((reader.line_num + skip, cells) for cells in reader), separator


def parse_numbers(cells, separator):
    """Read numbers with marks for decimals and thousands, all cells by one rule.

    Parameters
    ----------
    cells : list of str
        Of all the columns of coordinates.
    separator : str
        Between the cells of the file: where it is a semicolon, a comma is decimal.

    Returns
    -------
    numbers : list of float
        NaN for what is no number.
    note : str or None
        How a number was taken, if that is doubtful.

    Raises
    ------
    ValueError
        If the marks contradict each other.
    """
    cells = [re.sub(r"[\s\u00a0\u202f'’]", "", cell) for cell in cells]
    decimals = {mark for mark in map(_decimal_mark, cells) if mark}
    if len(decimals) > 1:
        raise ValueError("numbers have both decimal points and decimal commas")
    note = None
    if decimals:
        (decimal,) = decimals
    else:
        unclear = next((cell for cell in cells if "," in cell), None)
        if unclear is not None and separator == "\t":
            raise ValueError(
                f"the number {unclear!r} may have a decimal comma or a comma for "
                "thousands; write it with a decimal point"
            )
        decimal = "," if unclear is not None and separator == ";" else "."
        if unclear is not None and separator == ",":
            note = f"The comma in {unclear!r} is taken for one of thousands."
    thousands = "." if decimal == "," else ","
    return [_number(cell, decimal, thousands) for cell in cells], note


def _decimal_mark(cell):
    """Return the decimal mark that a cell proves, None if it proves none."""
    marks = [one for one in cell if one in ".,"]
    if not marks:
        return None
    if len(set(marks)) > 1:
        return marks[-1]
    (mark,) = set(marks)
    if len(marks) > 1:
        return "," if mark == "." else "."
    whole, _, rest = cell.lstrip("+-").partition(mark)
    grouped = re.fullmatch(r"[1-9]\d{0,2}", whole) and re.fullmatch(r"\d{3}", rest)
    # A point is decimal unless commas are; alone it proves nothing.
    return None if grouped else mark


def _number(cell, decimal, thousands):
    if thousands in cell:
        if not re.fullmatch(rf"[+-]?\d{{1,3}}(\{thousands}\d{{3}})+(\D.*)?", cell):
            return float("nan")
        cell = cell.replace(thousands, "")
    try:
        return float(cell.replace(decimal, "."))
    except ValueError:
        return float("nan")
