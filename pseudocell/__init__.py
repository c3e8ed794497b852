"""Find every cell in microscopy images when only a few are clicked."""

import lazy_loader

__version__ = "0.1.0"

# Loaded when first used: `pseudocell --help` should not wait for torch.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "_detection._detector": ["HeatmapDetector"],
        "_ranking._extractor": ["PatchExtractor"],
        "_ranking._featurizer": ["NNPUFeaturizer"],
        "_recipes": ["paper_recipe"],
        "_pseudo_label": ["PseudoLabelCellDetector"],
        "_ranking._ranker": ["PClassificationRanker"],
        "_ranking._selector": ["CalibratedSelector", "ShareSelector"],
    },
)
