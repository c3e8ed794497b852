from ._blob import BlobDetector as BlobDetector
from ._pu_detector import PUDetector as PUDetector
from ._reconstruction import ReconstructionDetector as ReconstructionDetector
from ._tuned_threshold import TunedThresholdDetector as TunedThresholdDetector
