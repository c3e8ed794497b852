"""Nets from images to heatmaps: their shape, stride and reach."""

from functools import partial

import pytest
import torch

from pseudocell.nets import UNet

# Called with in_channels; stride and reach must hold whatever the sizes.
NETS = [
    partial(UNet, base_channels=2, depth=0),
    partial(UNet, base_channels=2, depth=1),
    partial(UNet, base_channels=2, depth=2),
    partial(UNet, base_channels=2, depth=3),
]


def seeded(net, in_channels=1):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return net(in_channels=in_channels).eval()


def draw(*shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(1))


def farthest_change(module, phase):
    """How far from a pixel the output changes when that pixel changes.

    All weights are positive, so that nothing is cut off by the ReLU, and the pixel is
    raised by far, so that it wins every pooling: whatever can change, does.
    """
    with torch.no_grad():
        for weights in module.parameters():
            weights.abs_()
    module.double()
    centre = (module.reach // module.stride + 1) * module.stride + phase
    size = -(-(2 * centre + 1) // module.stride) * module.stride
    image = draw(1, module_channels(module), size, size).double()
    changed = image.clone()
    changed[:, :, centre, centre] += 1e3
    with torch.inference_mode():
        difference = (module(changed) - module(image))[0]
    rows, cols = torch.nonzero(difference, as_tuple=True)
    return max((rows - centre).abs().max().item(), (cols - centre).abs().max().item())


def module_channels(module):
    return next(module.parameters()).shape[1]


@pytest.mark.parametrize("net", NETS)
def test_reach_is_how_far_a_pixel_acts(net):
    """From the worst place in a block of the pooling; not a pixel more or less."""
    stride = seeded(net).stride
    reached = [farthest_change(seeded(net), phase) for phase in range(stride)]
    assert max(reached) == seeded(net).reach


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("channels", [1, 3])
def test_heatmap_has_the_size_of_the_image(net, channels):
    module = seeded(net, channels)
    for height, width in ((1, 1), (2, 5)):
        images = draw(4, channels, height * module.stride, width * module.stride)
        assert module(images).shape == (4, *images.shape[2:])


@pytest.mark.parametrize("net", NETS)
def test_image_gives_the_same_in_any_company(net):
    module = seeded(net)
    images = draw(3, 1, 2 * module.stride, 4 * module.stride)
    together = module(images)
    alone = torch.cat([module(image[None]) for image in images])
    torch.testing.assert_close(together, alone)


@pytest.mark.parametrize("net", NETS)
def test_shift_by_the_stride_shifts_the_heatmap(net):
    """Away from the border; half a stride would not do."""
    module = seeded(net)
    stride, reach = module.stride, module.reach
    size = (2 * reach // stride + 6) * stride
    image = draw(1, 1, size + stride, size)
    here, shifted = module(image[:, :, :-stride])[0], module(image[:, :, stride:])[0]
    inner = slice(reach, size - reach - stride), slice(reach, size - reach)
    later = slice(inner[0].start + stride, inner[0].stop + stride), inner[1]
    assert here[later].numel() > 0
    torch.testing.assert_close(shifted[inner], here[later])


@pytest.mark.parametrize("net", NETS)
def test_every_weight_is_used(net):
    module = seeded(net, 2).train()
    module(draw(2, 2, 4 * module.stride, 4 * module.stride)).square().sum().backward()
    for name, weights in module.named_parameters():
        assert weights.grad is not None, name
        assert weights.grad.abs().sum() > 0, name


def test_levels_double_their_channels():
    module = UNet(3, base_channels=4, depth=2)
    widths = [block[0].out_channels for block in module.down]
    assert widths == [4, 8, 8]
    assert module.down[0][0].in_channels == 3
    assert module.stride == 4
