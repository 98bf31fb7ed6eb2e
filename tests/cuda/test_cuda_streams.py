"""On a GPU: fills follow their producer, wait for nobody, and leave the current device as it was."""

import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from gpu import (
    KEY,
    Exporter,
    Interface,
    as_numpy,
    assert_filled,
    assert_same_bits,
    keep_busy,
    memory,
    own_or_default_stream,  # noqa: F401
    torch_with_cuda,  # noqa: F401
    warm_up,
)
from processes import TIMEOUT

import fanin
from fanin import schemes

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize(
    "draw",
    [
        fanin.uniform,
        fanin.normal,
        fanin.truncated_normal,
        schemes.siren(first=True, layout="OI"),
        schemes.mamba_log_range(),  # this and the next by tables, which take memory of the device
        schemes.sinusoid(),
    ],
)
def test_a_fill_follows_its_producer_on_the_current_stream_and_does_not_wait(torch, stream, draw):
    shape = (1000, 1001)
    out = memory(shape, "float32")
    warm_up(torch, lambda: draw(out=out, **KEY), out)
    with torch.cuda.stream(stream):
        keep_busy(torch)
        out.fill_(7)
        written = torch.cuda.Event()
        written.record()
        draw(out=out, **KEY)
        returned_first = not written.query()
        after = out.clone()
    assert returned_first, "the call waited for the device"
    stream.synchronize()
    assert_same_bits(as_numpy(after), draw(shape, **KEY))
    assert_filled(out, draw(shape, **KEY))


def test_pieces_of_a_scheme_follow_each_other_on_the_stream(torch, stream):
    """Rows on both sides of one of zeros, and the zeros."""
    scheme, shape = schemes.embedding(padding=500), (1000, 257)
    out = memory(shape, "bfloat16")
    warm_up(torch, lambda: scheme(out=out, **KEY), out)
    with torch.cuda.stream(stream):
        keep_busy(torch)
        out.fill_(7)
        written = torch.cuda.Event()
        written.record()
        scheme(out=out, **KEY)
        returned_first = not written.query()
    assert returned_first, "the call waited for the device"
    stream.synchronize()
    assert_filled(out, scheme(shape, dtype="bfloat16", **KEY))


def test_other_streams_are_not_waited_for(torch):
    """A stream of one's own is done before a busy one."""
    out = memory((1000,), "float32")
    warm_up(torch, lambda: fanin.normal(out=out, **KEY), out)
    busy, idle, still_busy = torch.cuda.Stream(), torch.cuda.Stream(), torch.cuda.Event()
    with torch.cuda.stream(busy):
        keep_busy(torch)
        still_busy.record()
    with torch.cuda.stream(idle):
        fanin.normal(out=out, **KEY)
    idle.synchronize()
    assert not still_busy.query()
    assert_filled(out, fanin.normal(1000, **KEY))


def test_two_threads_on_two_streams(torch):
    start = Barrier(2)

    def fills(number):
        stream = torch.cuda.Stream()
        dtype = ("float32", "bfloat16")[number]
        outs = [memory((257, 129 + k), dtype) for k in range(50)]
        torch.cuda.synchronize()
        start.wait(TIMEOUT)
        with torch.cuda.stream(stream):
            for k, out in enumerate(outs):
                out.fill_(7)
                fanin.normal(out=out, seed=number, name=f"w{k}")
        stream.synchronize()
        return outs, dtype

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(fills, range(2)))
    for number, (outs, dtype) in enumerate(results):
        for k, out in enumerate(outs):
            assert_filled(out, fanin.normal((257, 129 + k), seed=number, name=f"w{k}", dtype=dtype))


# ---- devices ---------------------------------------------------------------------------------------------------------


def test_a_device_may_be_named_beside_out(torch):
    out = memory((33, 65), "float16")
    for device in (out.device, "cuda", f"cuda:{out.device.index}"):
        assert fanin.normal(out=out, device=device, **KEY) is out
        assert_filled(out, fanin.normal((33, 65), dtype="float16", **KEY))
        out.fill_(7)


def test_a_namespace_and_a_torch_device(torch):
    init = fanin.seeded(0, layout="OI")
    found = init.he_normal("fc.weight", (30, 40), device=torch.device("cuda"), dtype=torch.bfloat16)
    assert_same_bits(found, init.he_normal("fc.weight", (30, 40), dtype="bfloat16"))


@pytest.mark.parametrize("device", ["cuda:99", "cuda:-1", "cuda:one"])
def test_a_device_that_does_not_exist(device):
    with pytest.raises((RuntimeError, ValueError), match=re.escape(device)):
        fanin.normal(3, device=device, **KEY)


def test_the_current_device_is_left_as_it_was(torch):
    for device in range(torch.cuda.device_count()):
        for current in range(torch.cuda.device_count()):
            with torch.cuda.device(current):
                out = memory((100, 33), "float32", torch.device("cuda", device))
                fanin.normal(out=out, **KEY)
                fanin.normal((100, 33), device=f"cuda:{device}", **KEY)
                assert torch.cuda.current_device() == current
                assert_filled(out, fanin.normal((100, 33), **KEY))


@pytest.fixture
def second(torch):
    if torch.cuda.device_count() < 2:
        pytest.skip("there is one GPU")
    return torch.device("cuda", 1)


@pytest.mark.parametrize("wrap", [lambda tensor: tensor, Exporter, Interface], ids=["torch", "dlpack", "interface"])
def test_a_tensor_of_another_device_than_the_current(torch, second, wrap):
    tensor = memory((1000, 1001), "float32", second)
    torch.cuda.synchronize(second)
    stream = torch.cuda.Stream(second)
    assert torch.cuda.current_device() == 0
    with torch.cuda.stream(stream), torch.cuda.device(0):
        fanin.normal(out=wrap(tensor), **KEY)
        assert torch.cuda.current_device() == 0
    torch.cuda.synchronize(second)
    assert_filled(tensor, fanin.normal((1000, 1001), **KEY))


def test_a_device_chosen_by_number(second):
    assert_same_bits(fanin.normal((100, 33), device="cuda:1", **KEY), fanin.normal((100, 33), **KEY))
