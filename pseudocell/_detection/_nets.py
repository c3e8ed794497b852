"""The nets of a HeatmapDetector: how they begin, and how each is trained."""

import copy

from sklearn.utils import check_random_state

from .._geometry._scale import nominal_shape
from .._inference import choose_device, deal_devices
from .._net_parameters import EPOCH
from .._skorch import build_module, count_steps, fit_net
from .._stopping import expect_steps
from .._threads import map_threads
from .._watched import shows_progress
from ..losses import MaskedMSELoss
from ..nets import UNet
from ._held_out import deal_clicks
from ._places import deal_places
from ._training import cut_crops, plan_batches

__all__ = ["train_nets"]


def train_nets(detector, images, labels, start, tasks):
    """Train the nets of a detector, and store what is known of them in it.

    Parameters
    ----------
    detector : HeatmapDetector
        Gets `nets_`, `n_steps_`, `click_folds_` and `places_`.
    images : Images
        The images.
    labels : NominalLabels
        At the nominal size.
    start : HeatmapDetector or None
        Whose nets are copied, to go on from.
    tasks : CallbackContext
        The task of scikit-learn's callbacks whose subtasks are the nets.
    """
    clicks, n_nets = labels.clicks, detector.n_nets
    rng = check_random_state(detector.random_state)
    held_out = deal_clicks(clicks, n_nets, rng)
    sizes = [nominal_shape(shape, detector._scale) for shape in images.shapes]
    by_place = detector.held_out == "places"
    places = deal_places(clicks, sizes, n_nets) if by_place else None
    if places is not None:
        held_out = [*map(places.fold_of, range(len(sizes)), clicks, sizes)]
    seeds = rng.randint(2**31 - 1, size=(n_nets, 2))
    settings, modules = _begin_nets(detector, start, seeds[:, 0])
    detector.n_steps_ = 0 if start is None else start.n_steps_
    if start is not None:
        same = [*map(len, held_out)] == [*map(len, start.click_folds_)]
        if places is None and same:
            # No net may see now what it was tested on before.
            held_out = start.click_folds_
    goes_on = start is detector and detector.warm_steps is not None
    batches, valid = plan_batches(
        detector,
        images,
        labels,
        held_out,
        places,
        most=detector.warm_steps if goes_on else detector._count_batches(),
        seeds=seeds[:, 1],
    )
    every = [*batches, *(some for some in valid if some is not None)]
    cut_crops(images, every, detector._scale, detector.n_jobs)
    detector.nets_ = _fit_nets(detector, settings, modules, batches, valid, tasks)
    detector.n_steps_ += max(map(count_steps, detector.nets_))
    detector.click_folds_ = held_out
    detector.places_ = places and [places.axes, places.cuts, places.owners]


def _begin_nets(detector, start, seeds):
    """Return the settings of all nets, and the module of each: new, or copied."""
    settings = detector._net_settings(
        module=UNet, module__in_channels=detector.n_channels_, criterion=MaskedMSELoss
    )
    if start is None:
        # One after the other: building uses the global seed.
        return settings, [build_module(settings, seed) for seed in seeds]
    before = start.nets_[0].settings()
    settings = {
        **{key: one for key, one in settings.items() if not key.startswith("module")},
        **{key: one for key, one in before.items() if key.startswith("module")},
    }
    return settings, [copy.deepcopy(net.module_) for net in start.nets_]


def _fit_nets(detector, settings, modules, batches, valid, tasks):
    """Fit each module to its batches, on threads and devices."""
    devices = deal_devices(choose_device(detector.device), detector.n_nets)

    def train(number):
        task = tasks.subcontext(
            task_name="net",
            task_id=number,
            max_subtasks=-(-len(batches[number]) // EPOCH),
        )
        task.call_on_fit_task_begin(estimator=detector, X=None, y=None)
        net = fit_net(
            modules[number],
            batches[number],
            settings,
            valid=valid[number],
            device=devices[number],
            description=f"Training net {number + 1} of {detector.n_nets}",
            verbose=shows_progress(detector.verbose),
            files=f"net{number}_" if detector.n_nets > 1 else "",
            tasks=(task, detector),
        )
        task.call_on_fit_task_end(
            estimator=detector, X=None, y=None, reconstruction_attributes=None
        )
        return net

    with expect_steps(sum(map(len, batches)), "Training"):
        return map_threads(train, range(detector.n_nets), detector.n_jobs)
