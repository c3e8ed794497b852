"""Find every cell in microscopy images when only a few are clicked."""

import lazy_loader

__version__ = "0.1.0"

# Loaded when first used: `pseudocell --help` should not wait for torch.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
