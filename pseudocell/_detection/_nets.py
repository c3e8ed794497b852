"""The nets of a HeatmapDetector: how they begin, and how each is trained."""

import copy

from .._inference import choose_device, deal_devices
from .._net_parameters import EPOCH
from .._skorch import build_module, fit_net
from .._threads import map_threads
from ..losses import MaskedMSELoss
from ..nets import UNet

__all__ = ["begin_nets", "count_steps", "train_nets"]


def begin_nets(detector, start, seeds):
    """Build the modules that are trained, or copy those to go on from.

    Parameters
    ----------
    detector : HeatmapDetector
        Has `n_channels_`.
    start : HeatmapDetector or None
        Whose nets are copied.
    seeds : int ndarray of shape (n_nets,)
        Of new weights.

    Returns
    -------
    settings : dict
        What skorch is told of each net.
    modules : list of torch.nn.Module
        One of each net.
    """
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


def train_nets(detector, settings, modules, batches, valid, tasks):
    """Train each module on its batches.

    Parameters
    ----------
    detector : HeatmapDetector
        Says how.
    settings : dict
        From `begin_nets`.
    modules : list of torch.nn.Module
        From `begin_nets`.
    batches, valid : list of CropBatches
        From `plan_batches`; the images have been cut.
    tasks : CallbackContext
        The task of scikit-learn's callbacks whose subtasks are the nets.

    Returns
    -------
    nets : list of skorch.NeuralNet
        Fitted.
    """
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
            verbose=detector.verbose,
            files=f"net{number}_" if detector.n_nets > 1 else "",
            tasks=(task, detector),
        )
        task.call_on_fit_task_end(
            estimator=detector, X=None, y=None, reconstruction_attributes=None
        )
        return net

    return map_threads(train, range(detector.n_nets), detector.n_jobs)


def count_steps(net):
    """Return on how many batches a net was trained: callbacks may end it early."""
    return sum(net.history_[:, "train_batch_count"])
