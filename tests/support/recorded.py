"""Compare models that fanin built with models that their own code drew: the same laws, constants, ties and buffers."""

import math

import torch
from scipy import stats

import fanin

P = 2e-7  # a false alarm in five million comparisons


def state(module):
    """The tensors of a module by name, tied ones under each name."""
    named = [*module.named_parameters(remove_duplicate=False), *module.named_buffers(remove_duplicate=False)]
    return {name: tensor.detach().clone() for name, tensor in named}


def ties(module):
    """The groups of names whose parameters share memory."""
    groups = {}
    for name, parameter in module.named_parameters(remove_duplicate=False):
        groups.setdefault(parameter.data_ptr(), []).append(name)
    return sorted(sorted(group) for group in groups.values() if len(group) > 1)


def copies(tensors):
    """The pairs of names whose random values are equal."""
    known = [
        (name, tensor) for name, tensor in tensors.items() if tensor.numel() and (tensor != tensor.flatten()[0]).any()
    ]
    return {
        (one, other)
        for place, (one, a) in enumerate(known)
        for other, b in known[place + 1 :]
        if a.shape == b.shape and torch.equal(a, b)
    }


def assert_same_law(build, times=6):
    """Assert that models of `fanin.torch.build` follow the law of those that `build` makes; return the last plan.

    Elements that are equal in every construction must be those that are in every draw, and have the same values. All
    others pass a two-sample test of Kolmogorov and Smirnov, pooled over the constructions. torch's generator is left
    alone.
    """
    torch.manual_seed(1)
    modules = [build() for _ in range(times)]
    theirs = [state(module) for module in modules]
    generator = torch.get_rng_state()
    built = [fanin.torch.build(build, seed=seed) for seed in range(times)]
    ours = [state(module) for module in built]
    assert torch.equal(torch.get_rng_state(), generator)
    assert list(ours[0]) == list(theirs[0])
    assert ties(built[0]) == ties(modules[0])
    assert copies(ours[0]) == copies(theirs[0])
    for name in theirs[0]:
        assert ours[0][name].dtype == theirs[0][name].dtype, name
        assert_same_values(
            name, torch.stack([each[name] for each in ours]), torch.stack([each[name] for each in theirs])
        )
    return fanin.torch.plan(build, seed=0)


def assert_same_values(name, ours, theirs):
    """Assert that tensors, stacked along the first axis, have the same constants and pass the test."""
    assert ours.shape == theirs.shape, name
    if ours.is_complex():
        ours, theirs = torch.view_as_real(ours), torch.view_as_real(theirs)
    ours, theirs = ours.double(), theirs.double()
    fixed = (theirs == theirs[:1]).all(0)
    assert torch.equal(fixed, (ours == ours[:1]).all(0)), name
    assert torch.allclose(ours[:, fixed], theirs[:, fixed], rtol=2e-7, atol=0), name
    one, other = ours[:, ~fixed].flatten().numpy(), theirs[:, ~fixed].flatten().numpy()
    if len(one):
        found = stats.ks_2samp(one, other).pvalue
        assert not math.isnan(found)
        assert found > P, (name, found)
