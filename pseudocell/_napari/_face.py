"""What is seen of the panel, and how it follows what is so."""

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLabel,
    QMenu,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from pseudocell._napari._controls import ImageList, ThresholdSlider

__all__ = ["Face"]

TOOLS = "Click cells", "Click what is none"
ROWS = (
    ("Add layers", "Add files...", "Open project..."),
    TOOLS,
    ("Undo", "Redo", "Import clicks..."),
    ("Find every cell", "Cancel"),
    ("Next place", "A cell", "No cell", "Next image"),
    ("Run on a folder...", "Export", "Report..."),
)
# Of the sentence at the foot.
LINES = 6


class Face(QWidget):
    """Buttons, lists and labels, which show a `desk` and its `work`.

    A subclass has both, and says what the buttons do.
    """

    def __init__(self):
        super().__init__()
        self.project, self.counts, self.message = QLabel(), QLabel(), QLabel()
        for label in (self.project, self.counts, self.message):
            label.setWordWrap(True)
        self.message.setMinimumHeight(LINES * self.message.fontMetrics().lineSpacing())
        self.message.setAlignment(Qt.AlignTop)
        self.images, self.threshold = ImageList(), ThresholdSlider()
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.buttons = {name: QPushButton(name) for row in ROWS for name in row}
        # One of the two is what the mouse does.
        self.tools = QButtonGroup(self)
        for name in TOOLS:
            self.buttons[name].setCheckable(True)
            self.tools.addButton(self.buttons[name])
        self.formats = QMenu(self)
        self.buttons["Export"].setMenu(self.formats)
        self._lay_out()

    def _lay_out(self):
        sources, tools, edits, main, places, results = map(self._row, ROWS)
        layout = QVBoxLayout(self)
        for part in (
            self.project,
            sources,
            self.images,
            tools,
            edits,
            main,
            self.bar,
            places,
            self.threshold,
            self.counts,
            results,
            self.message,
        ):
            is_row = isinstance(part, QHBoxLayout)
            layout.addLayout(part) if is_row else layout.addWidget(part)
        layout.addStretch()

    def _row(self, names):
        row = QHBoxLayout()
        for name in names:
            row.addWidget(self.buttons[name])
        return row

    def refresh(self):
        """Show what is so now."""
        desk = self.desk
        has_session = desk.session is not None
        self.project.setText(
            f"Project {desk.session.folder.name}" if has_session else "No project yet"
        )
        self.project.setToolTip(str(desk.session.folder) if has_session else "")
        self.images.show_rows(desk.rows(), desk.number)
        self.counts.setText(desk.counted())
        self._refresh_threshold()
        is_busy, has_model = (
            self.work.is_running,
            has_session and desk.session.has_model,
        )
        for name, is_on in {
            "Undo": has_session and desk.session.can_undo,
            "Redo": has_session and desk.session.can_redo,
            "Import clicks...": has_session,
            "Find every cell": not is_busy,
            "Cancel": is_busy,
            "Next place": has_model and not is_busy,
            "A cell": desk.asked is not None,
            "No cell": desk.asked is not None,
            "Next image": desk.n_images > 1,
            "Run on a folder...": has_model and not is_busy,
            "Export": has_model and not is_busy,
            "Report...": has_model and not is_busy,
        }.items():
            self.buttons[name].setEnabled(bool(is_on))
        self.bar.setVisible(is_busy)

    def _refresh_threshold(self):
        heights = self.desk.heights()
        self.threshold.setEnabled(heights is not None)
        if heights is None:
            self.threshold.expected.setText("")
            return
        self.threshold.show_value(self.desk.threshold, *heights)
        if self.work.is_running:
            return
        precision, recall = self.desk.session.expected()
        self.threshold.expected.setText(
            f"About {precision:.0%} of what is found are cells, and {recall:.0%} of "
            "the cells are found."
            if precision == precision
            else "What to expect here is not known: too few clicks were held out."
        )

    def say(self, text, is_fault=False):
        """Say one sentence at the foot of the panel."""
        self.message.setText(text)
        self.message.setStyleSheet("color: #ff8a65" if is_fault else "")
