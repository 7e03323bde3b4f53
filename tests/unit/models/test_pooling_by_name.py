"""Poolings for your own networks."""

import pytest
import torch

import tfseg
from tfseg.errors import ConfigError
from tfseg.models.poolings.gwrp import GlobalWeightedRankPooling


@pytest.mark.parametrize("name", list(tfseg.poolings()))
def test_every_pooling_is_built_with_its_defaults(name):
    pooling = tfseg.build_pooling(name, 3)
    masks = torch.rand(2, 3, 10, 4)
    attention = (
        {"attention": torch.zeros_like(masks)} if getattr(pooling, "needs_attention", 0) else {}
    )
    tags = pooling(masks, torch.logit(masks), **attention)
    assert tags.shape == (2, 3)
    assert (tags > 0).all() and (tags <= masks.amax(dim=(2, 3)) + 1e-6).all()


def test_settings_replace_defaults():
    masks = torch.rand(2, 3, 10, 4)
    one, other = (tfseg.build_pooling("gwrp", 3, r=r) for r in (0.0, 1.0))
    assert isinstance(one, GlobalWeightedRankPooling)
    torch.testing.assert_close(one(masks), masks.amax(dim=(2, 3)))
    torch.testing.assert_close(other(masks), masks.mean(dim=(2, 3)))


def test_what_is_not_declared_is_refused_by_name():
    with pytest.raises(ConfigError, match=r"expected one of gmp, gap, .*found mean"):
        tfseg.build_pooling("mean", 3)
    with pytest.raises(ConfigError, match="pooling gap: expected no setting, found r"):
        tfseg.build_pooling("gap", 3, r=1)
