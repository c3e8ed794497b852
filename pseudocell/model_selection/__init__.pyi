from ._folded_list import FoldedList as FoldedList
from ._scorers import (
    click_recall_scorer as click_recall_scorer,
)
from ._scorers import (
    click_scorer as click_scorer,
)
from ._scorers import (
    detection_count_scorer as detection_count_scorer,
)
from ._scorers import (
    detection_f1_scorer as detection_f1_scorer,
)
from ._scorers import (
    lee_liu_scorer as lee_liu_scorer,
)
from ._split_tiles import split_tiles as split_tiles
from ._splits import split_clicks as split_clicks
from ._splits import split_images as split_images
