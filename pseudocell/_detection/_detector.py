"""HeatmapDetector: a U-Net that regresses a heatmap of cell positions."""

from numbers import Integral, Real

from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from .._callbacks import CallbackSupportMixin, with_callbacks
from .._geometry._radius import estimate_cell_radius
from .._geometry._scale import points_to_nominal
from .._images import Images, check_clicked, check_probabilities
from .._net_parameters import NET, NetParametersMixin
from .._parameters import HOW_TO_RUN, RADIUS, Number, checked
from .._validation import check_points
from ._drawing import Drawing
from ._look import look_at_clicks, look_at_places
from ._mixin import DetectorMixin
from ._nets import train_nets
from ._training import NominalLabels, find_start
from ._unseen import LOWEST_PEAK, UnseenMixin

__all__ = ["HeatmapDetector"]

# Minus infinity takes all peaks.
ANY_HEIGHT = Interval(Real, None, None, closed="both")


class HeatmapDetector(
    UnseenMixin, NetParametersMixin, CallbackSupportMixin, DetectorMixin, BaseEstimator
):
    """Detect cells as the peaks of a heatmap that a U-Net regresses.

    The target is a Gaussian at every labelled cell. With the masked loss only the
    pixels in discs around labelled points count: the net finds nearly all cells, and
    too much else, because it never saw the rest of the image. Otherwise every pixel
    counts, the clicked discs more than the rest: as most cells are not clicked,
    their pixels are background by name only.

    Parameters
    ----------
    cell_radius : float, default=None
        Radius of a cell in pixels of the images; every length follows from it. None
        estimates it from the images around the clicks.
    masked : bool, default=True
        True counts only the pixels within one radius of a labelled point. False
        counts the others too, with the weight `background_weight`.
    background_weight : float, default=0.1
        Weight of a pixel that is not labelled against one that is, unless `masked`:
        about the share of the cells that are clicked (Elkan and Noto 2008). In images
        without clicks it is 0, unless it is 1, which says that every cell is clicked.
    threshold : float, default=None
        A peak is a cell if it is higher, in [0, 1]. None takes 0.5 if `masked`, and
        otherwise two thirds of the lower quartile of `click_heights_`, or more where
        more than about a quarter of the cells is clicked (Elkan and Noto 2008); 128/255
        if `normalize` is "min-max".
    normalize : {"min-max"}, default=None
        "min-max" stretches each heatmap to 0 .. 1, the rule of the paper: something is
        found in every image, also in an empty one, unless its heatmap is constant.
    n_nets : int, default=1
        1 trains one net on all clicks. More train each net without its own share of
        the clicks of every image, and average their heatmaps.
    held_out : {"clicks", "places"}, default="clicks"
        What a net is kept off: its share of the clicks alone, or a strip of each image
        with all that is in it, so that the clicks there are a sample of the cells.
    nominal_radius : float, default=6.0
        Images are resampled so that a cell has this radius, in pixels.
    module : callable, default=None
        Called as ``module(in_channels=C)``; returns a torch module from images to
        heatmaps with the attributes `stride` and `reach`. Or such a module, which is
        copied with its weights. None takes `pseudocell.nets.UNet`.
    criterion : callable, default=None
        Called as ``criterion()``; returns a torch module that is called with the
        heatmaps of the net, the target and the weights of its pixels, all of shape
        (n, h, w). None takes `pseudocell.losses.MaskedMSELoss`.
    optimizer : callable, default=None
        None takes `torch.optim.Adam`.
    lr : float, default=3e-3
        The learning rate; the largest of one cycle, unless an `LRScheduler` is among
        the callbacks.
    batch_size : int, default=8
        Crops in a batch.
    max_steps : int, default=300
        Number of batches that a net is trained on.
    max_epochs : int, default=None
        Number of epochs, of 30 batches each, in place of `max_steps`.
    warm_steps : int, default=None
        Number of batches where `warm_start` goes on from the fit before. None takes as
        many there, too.
    max_passes : float, default=None
        Fewer batches are taken, but 30 at least, if the crops would cover the images
        whose unlabelled pixels count more often than this: on small images a net learns
        by heart which cells have no label. None sets no such limit.
    train_split : callable, default=None
        Which clicks a net is validated on after each epoch instead of learning them, as
        `skorch.dataset.ValidSplit(5)`. None trains on all.
    callbacks : list of skorch callbacks, default=None
        Told of the training; each net gets a shallow copy. "disable" takes none, not
        even skorch's own.
    warm_start : bool, default=False
        Whether `fit` goes on from the nets of the fit before, if there was one, on
        other labels or other images.
    init : fitted detector, default=None
        Its nets are copied, and `fit` goes on from the copies: fine-tuning, with few
        clicks and few steps, of what was learnt on other images. `module` is not used
        then. A `HeatmapDetector`, or one that has one as `detector_`. As a parameter of
        a part or in a search it must be ``FrozenEstimator(fitted)`` of
        scikit-learn, because clones forget what was fitted.
    device : str, default="auto"
        "auto", "cpu", "cuda", "cuda:1" and so on, or "mps". Several nets are spread
        over several GPUs, unless one is named.
    n_jobs : int, default=None
        Number of threads for nets and images. None means all cores, but one inside
        a worker of joblib.
    random_state : int, RandomState instance or None, default=None
        Seed; the same seed gives the same points on any number of threads.
    verbose : int, default=None
        1 shows progress bars, 0 none; None shows them in a terminal or a notebook. 2
        prints skorch's table of epochs, too.
    **skorch
        What skorch knows by a prefix, as ``module__depth=4``,
        ``optimizer__weight_decay=1e-4`` or ``iterator_train__num_workers=2``; also
        ``criterion__``, ``callbacks__`` and ``iterator_valid__``.

    Attributes
    ----------
    cell_radius_ : float
        The radius that is used, in pixels of the images.
    nets_ : list of skorch.NeuralNet
        The fitted nets.
    history_ : list of skorch.history.History
        The record of the last training of each net.
    n_channels_ : int
        Number of channels of the images.
    n_steps_ : int
        Number of batches that each net was trained on, in all fits; the most, where a
        callback ended the training of some early.
    click_folds_ : list of int ndarray of shape (n_i,)
        Number of the net that has not seen the click; -1 with a single net.
    click_heights_ : list of float ndarray of shape (n_i,)
        How high each clicked cell stands in the heatmap of a net that has not seen it
        (of the only net, if there is one).
    threshold_ : float
        The threshold that is used.
    found_heights_, other_heights_ : float ndarray of shape (m,) and (k,)
        The heights of the peaks in 5 of the images at most, and of those at no click in
        5 of the images with clicks: what a round is judged by.
    calibration_ : Calibration or None
        What heights mean: `probability`, `precision`, `recall`, `threshold` for either,
        and `count`; None unless `fit` was told how probable candidates are.

    Notes
    -----
    Cost and memory of a training do not grow with the images: crops at random places
    lie in 200 of them at most.

    References
    ----------
    Nishimura, Ker, Bise, "Weakly supervised cell instance segmentation by propagating
    from detection response", MICCAI 2019, doi 10.1007/978-3-030-32239-7_72. The masked
    loss: Fujii, Suehiro, Nishimura, Bise, "Cell Detection from Imperfect Annotation by
    Pseudo Label Selection Using P-classification", MICCAI 2021,
    doi 10.1007/978-3-030-87237-3_41. Weights and threshold: Elkan, Noto, "Learning
    classifiers from only positive and unlabeled data", KDD 2008,
    doi 10.1145/1401890.1401920.

    Examples
    --------
    >>> from pseudocell import HeatmapDetector
    >>> from pseudocell.datasets import make_brightfield
    >>> images, points = make_brightfield(1, (96, 96), n_cells=6, random_state=0)
    >>> detector = HeatmapDetector(cell_radius=8, max_steps=2, random_state=0)
    >>> len(detector.fit(images, points).predict(images))
    1
    """

    _parameter_constraints = {
        "cell_radius": [RADIUS, None],
        "masked": ["boolean"],
        "background_weight": [Number(low=0, high=1)],
        "threshold": [Number(low=0, high=1), None],
        "normalize": [StrOptions({"min-max"}), None],
        "n_nets": [Number(Integral, 1)],
        "held_out": [StrOptions({"clicks", "places"})],
        "nominal_radius": [RADIUS],
        **NET,
        "warm_steps": [Number(Integral, 1), None],
        "max_passes": [Number(low=0, closed="neither"), None],
        "warm_start": ["boolean"],
        **HOW_TO_RUN,
    }

    def __init__(
        self,
        cell_radius=None,
        *,
        masked=True,
        background_weight=0.1,
        threshold=None,
        normalize=None,
        n_nets=1,
        held_out="clicks",
        nominal_radius=6.0,
        module=None,
        criterion=None,
        optimizer=None,
        lr=3e-3,
        batch_size=8,
        max_steps=300,
        max_epochs=None,
        warm_steps=None,
        max_passes=None,
        train_split=None,
        callbacks=None,
        warm_start=False,
        init=None,
        device="auto",
        n_jobs=None,
        random_state=None,
        verbose=None,
        **skorch,
    ):
        self.cell_radius = cell_radius
        self.masked = masked
        self.background_weight = background_weight
        self.threshold = threshold
        self.normalize = normalize
        self.n_nets = n_nets
        self.held_out = held_out
        self.nominal_radius = nominal_radius
        self.module = module
        self.criterion = criterion
        self.optimizer = optimizer
        self.lr = lr
        self.batch_size = batch_size
        self.max_steps = max_steps
        self.max_epochs = max_epochs
        self.warm_steps = warm_steps
        self.max_passes = max_passes
        self.train_split = train_split
        self.callbacks = callbacks
        self.warm_start = warm_start
        self.init = init
        self.device = device
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose
        self._set_further(skorch)

    @with_callbacks
    def fit(
        self,
        images,
        partial_points,
        *,
        positives=None,
        negatives=None,
        undecided=None,
        probabilities=None,
        centres=None,
    ):
        """Train the nets.

        Parameters
        ----------
        images : sequence of array-like of shape (H_i, W_i) or (H_i, W_i, C)
            The images; sizes may differ. Items may be lazy: only images with clicks, a
            few others, and those that a crop falls on are read, one at a time for each
            thread.
        partial_points : sequence of array-like of shape (n_i, 2)
            Clicked cells as (row, col) in pixels; they need not be all cells.
        positives : sequence of array-like of shape (m_i, 2), optional
            Pseudo positives: further cells.
        negatives : sequence of array-like of shape (m_i, 2), optional
            Pseudo negatives: places that are no cell.
        undecided : sequence of array-like of shape (k_i, 2), optional
            Further places that may be cells.
        probabilities : sequence of array-like of shape (k_i,), optional
            How probable that is. A net learns a bump as high as that, and it counts as
            much. Needed with `undecided`; where nets were kept off places, the
            threshold then has the best expected F1.
        centres : sequence of array-like of shape (c_i, 2), optional
            Places to look at as often as at a click, such as single sure labels.

        Returns
        -------
        self : HeatmapDetector

        Raises
        ------
        ValueError
            If an argument is not as described, no cell is clicked in any image, or
            `init` is not fitted or of another size.
        """
        self._validate_params()
        start = find_start(self)
        images = Images(images, None if start is None else start.n_channels_)
        clicks = check_clicked(images, partial_points)
        names = "positives", "negatives", "undecided", "centres"
        more = dict(zip(names, (positives, negatives, undecided, centres), strict=True))
        for name, given in more.items():
            given = [()] * len(images) if given is None else given
            more[name] = check_clicked(images, given, name, needed=False)
        chances = check_probabilities(probabilities, more["undecided"])
        tasks = self._init_callback_context(
            max_subtasks=self.n_nets, sequential_subtasks=False
        )
        tasks.call_on_fit_task_begin(estimator=self, X=images, y=clicks)
        self.n_channels_ = images.n_channels
        self.cell_radius_ = float(
            estimate_cell_radius(images, clicks, "partial_points")
            if self.cell_radius is None
            else self.cell_radius
        )
        points = [
            self._points_to_nominal(points, images.shapes)
            for points in (clicks, *more.values())
        ]
        labels = NominalLabels(*points, chances)
        train_nets(self, images, labels, start, tasks)
        if self.places_ is None:
            look = look_at_clicks(self, self._drawing(), images, clicks)
        else:
            rated = None if undecided is None else chances
            known = clicks, more["positives"], more["undecided"], rated
            look = look_at_places(self, images, *known)
        self.click_heights_, self.threshold_ = look.click_heights, look.threshold
        self.found_heights_, self.other_heights_ = look.found, look.others
        self.keep_calibration(look.calibration)
        tasks.call_on_fit_task_end(
            estimator=self, X=images, y=clicks, reconstruction_attributes={}
        )
        return self

    @checked(threshold=[ANY_HEIGHT])
    def find_candidates(self, images, threshold=LOWEST_PEAK, known=None):
        """Return the peaks above any threshold, with their heights.

        Parameters
        ----------
        images : sequence of array-like of shape (H_i, W_i) or (H_i, W_i, C)
            The images.
        threshold : float, default=0.05
            Peaks at or below it are left out.
        known : sequence of array-like of shape (m_i, 2), optional
            Places that are candidates in any case, unless a peak is near.

        Returns
        -------
        candidates : list of (points, heights)
            Points of shape (n_i, 2) as (row, col) in pixels and heights of shape
            (n_i,) in the heatmap, the highest first.
        """
        check_is_fitted(self)
        images = Images(images, self.n_channels_)
        if known is not None:
            known = check_points(known, len(images), "known")
        return self._drawing().find(images, threshold, known, self.n_jobs)

    def predict_heatmap(self, images):
        """Return the heatmaps at the nominal cell size.

        Parameters
        ----------
        images : sequence of array-like of shape (H_i, W_i) or (H_i, W_i, C)
            The images.

        Returns
        -------
        heatmaps : list of float32 ndarray of shape (H'_i, W'_i)
            Mean over the nets, near 1 at a cell and near 0 elsewhere; one pixel is
            ``cell_radius_ / nominal_radius`` pixels of the image.
        """
        check_is_fitted(self)
        images = Images(images, self.n_channels_)
        return self._drawing().render(images, self.n_jobs)

    def _drawing(self):
        layout = self.nominal_radius, self._scale, self.normalize == "min-max"
        return Drawing.prepare(self.nets_, self.device, *layout)

    @property
    def _scale(self):
        return self.nominal_radius / self.cell_radius_

    def _points_to_nominal(self, points, shapes):
        return [
            points_to_nominal(array, shape, self._scale)
            for array, shape in zip(points, shapes, strict=True)
        ]
