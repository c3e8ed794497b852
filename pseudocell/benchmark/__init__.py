"""The paper's tables and figures, for any methods on any sets."""

import lazy_loader

# The tables need pandas, the pages matplotlib and Jinja2: only when they are used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
