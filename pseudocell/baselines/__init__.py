"""Other ways to detect cells, to compare with."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "_blob": ["BlobDetector"],
        "_pu_detector": ["PUDetector"],
        "_reconstruction": ["ReconstructionDetector"],
        "_tuned_threshold": ["TunedThresholdDetector"],
    },
)
