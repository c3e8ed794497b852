"""Choose settings when all the labels are clicks on some of the cells."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "_folded_list": ["FoldedList"],
        "_scorers": [
            "click_recall_scorer",
            "click_scorer",
            "detection_count_scorer",
            "detection_f1_scorer",
            "lee_liu_scorer",
        ],
        "_split_tiles": ["split_tiles"],
        "_splits": ["split_clicks", "split_images"],
    },
)
