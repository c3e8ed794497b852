"""Find every cell in microscopy images when only a few are clicked."""

import lazy_loader

__version__ = "0.1.0"

# Loaded when first used: `pseudocell --help` should not wait for torch.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "_detector": ["HeatmapDetector"],
        "_extractor": ["PatchExtractor"],
        "_featurizer": ["NNPUFeaturizer"],
        "_paper": ["paper_recipe"],
        "_pseudo_label": ["PseudoLabelCellDetector"],
        "_ranker": ["PClassificationRanker"],
        "_selector": ["CalibratedSelector", "ShareSelector"],
    },
)
