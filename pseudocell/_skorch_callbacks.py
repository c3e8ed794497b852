"""What watches or steers one training of a net, and is forgotten after it."""

from skorch.callbacks import Callback, LRScheduler
from torch.optim.lr_scheduler import OneCycleLR
from tqdm.auto import tqdm

__all__ = ["EnoughError", "OneCycle", "ProgressBar", "Tasks"]


class EnoughError(Exception):
    """A callback has ended the training."""


class OneCycle(LRScheduler):
    """One cycle of the learning rate, up to that of each group of parameters."""

    def __init__(self):
        super().__init__(OneCycleLR, step_every="batch", cycle_momentum=False)

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        self.max_lr = [group["lr"] for group in net.optimizer_.param_groups]
        self.total_steps = len(X) + 1
        super().on_train_begin(net, X=X, y=y, **kwargs)


class ProgressBar(Callback):
    """A progress bar over the steps of a training."""

    def __init__(self, description):
        self.description = description

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        self.bar_ = tqdm(total=len(X), desc=self.description, leave=False)

    def on_batch_end(self, net, batch=None, training=False, **kwargs):
        self.bar_.update(int(training))

    def on_train_end(self, net, X=None, y=None, **kwargs):
        self.bar_.close()


class Tasks(Callback):
    """Tells scikit-learn's callbacks of each epoch."""

    def __init__(self, task, estimator):
        self.task, self.estimator = task, estimator

    def on_epoch_begin(self, net, dataset_train=None, dataset_valid=None, **kwargs):
        self.epoch_ = self.task.subcontext(task_name="epoch")
        self.epoch_.call_on_fit_task_begin(estimator=self.estimator, X=None, y=None)

    def on_epoch_end(self, net, dataset_train=None, dataset_valid=None, **kwargs):
        is_enough = self.epoch_.call_on_fit_task_end(
            estimator=self.estimator, X=None, y=None, reconstruction_attributes=None
        )
        if is_enough:
            raise EnoughError
