"""Layers of Flax and Keras beside their twins of torch: transposed and put together, they hold the same bits."""

import os

import numpy as np
import pytest
from lazily import Peer

import fanin
from fanin import schemes
from fanin.recipes import Recipe, Rule

os.environ.setdefault("KERAS_BACKEND", "jax")
torch, keras, jax, linen = Peer("torch"), Peer("keras"), Peer("jax"), Peer("flax.linen")
traverse = Peer("flax.traverse_util")
pytestmark = pytest.mark.peer

HE, XAVIER, ORTHOGONAL = (make(layout="OI") for make in (schemes.he_normal, schemes.xavier_uniform, schemes.orthogonal))
SMALL = schemes.normal(std=0.02)
GATES = "ifgo"
FORGET = {"f": schemes.ones()}
MOVED = {2: (1, 0), 3: (2, 1, 0), 4: (2, 3, 1, 0)}  # a kernel's axes among those of torch's weight, by its rank


def drawn(shapes, scheme_of, renamed=None):
    """What a plan draws of these shapes, by name."""
    rules = [Rule(f"/{name.replace('.', '[.]')}/", scheme_of(name, shape)) for name, shape in shapes.items()]
    plan = fanin.plan(shapes, Recipe("twins", rules), seed=3, dtype="float32", renamed=renamed)
    return {name: plan[name] for name in shapes}


def of_torch(model, scheme_of):
    values = drawn({name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}, scheme_of)
    model.load_state_dict({name: torch.from_numpy(value) for name, value in values.items()})
    return values


def of_flax(model, example, scheme_of, renamed):
    """The parameters by their paths, and as the tree that Flax takes."""
    tree = jax.eval_shape(model.init, jax.random.key(0), example)["params"]
    shapes = {name: leaf.shape for name, leaf in traverse.flatten_dict(tree, sep="/").items()}
    values = drawn(shapes, scheme_of, renamed)
    return values, {"params": traverse.unflatten_dict(values, sep="/")}


def of_keras(layers, scheme_of, renamed):
    variables = {f"{layer.name}/{each.name}": each for layer in layers for each in layer.weights}
    values = drawn({name: tuple(each.shape) for name, each in variables.items()}, scheme_of, renamed)
    for name, each in variables.items():
        each.assign(values[name])
    return values


def same(a, b):
    return a.shape == b.shape and np.ascontiguousarray(a).tobytes() == np.ascontiguousarray(b).tobytes()


def of_weights(name, shape):
    return SMALL if name.endswith("bias") else HE


def of_kernels(name, shape):
    return SMALL if name.endswith("bias") else schemes.transpose(HE, MOVED[len(shape)])


def turned(kernel):
    """A kernel of Flax or Keras in the order of torch's axes, by NumPy."""
    return kernel if kernel.ndim == 1 else kernel.transpose(kernel.ndim - 1, kernel.ndim - 2, *range(kernel.ndim - 2))


def twins(layers):
    """The names of torch's parameters by those of Flax's or Keras's."""
    return {f"{theirs}/{a}": f"{ours}.{b}" for theirs, ours in layers for a, b in (("kernel", "weight"), ("bias",) * 2)}


def assert_twins(values, ours, renamed):
    assert values.keys() == renamed.keys()
    for name, value in values.items():
        assert same(turned(value), ours[renamed[name]]), name


class TestPlainLayers:
    """An MLP and a CNN, layer by layer and as what they compute."""

    @staticmethod
    def mlp():
        return torch.nn.Sequential(torch.nn.Linear(6, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3))

    @staticmethod
    def cnn():
        return torch.nn.Sequential(torch.nn.Conv2d(3, 8, (3, 2)), torch.nn.ReLU(), torch.nn.Conv2d(8, 4, 1))

    def test_an_mlp_of_flax(self):
        model, renamed = self.mlp(), twins([("layers_0", "0"), ("layers_2", "2")])
        theirs = linen.Sequential([linen.Dense(16), linen.relu, linen.Dense(3)])
        ours, x = of_torch(model, of_weights), np.linspace(-1, 1, 30, dtype=np.float32).reshape(5, 6)
        values, parameters = of_flax(theirs, x, of_kernels, renamed)
        assert_twins(values, ours, renamed)
        wanted = model(torch.from_numpy(x)).detach().numpy()
        assert np.allclose(theirs.apply(parameters, x), wanted, atol=1e-5)

    def test_an_mlp_of_keras(self):
        model, renamed = self.mlp(), twins([("first", "0"), ("second", "2")])
        layers = [keras.layers.Dense(16, activation="relu", name="first"), keras.layers.Dense(3, name="second")]
        ours, x = of_torch(model, of_weights), np.linspace(-1, 1, 30, dtype=np.float32).reshape(5, 6)
        theirs = keras.Sequential(layers)
        theirs.build((None, 6))
        assert_twins(of_keras(layers, of_kernels, renamed), ours, renamed)
        assert np.allclose(np.asarray(theirs(x)), model(torch.from_numpy(x)).detach().numpy(), atol=1e-5)

    def test_a_cnn_of_flax(self):
        model, renamed = self.cnn(), twins([("layers_0", "0"), ("layers_2", "2")])
        layers = [linen.Conv(8, (3, 2), padding="VALID"), linen.relu, linen.Conv(4, (1, 1))]
        ours, x = of_torch(model, of_weights), np.linspace(-1, 1, 2 * 7 * 5 * 3, dtype=np.float32).reshape(2, 7, 5, 3)
        theirs = linen.Sequential(layers)
        values, parameters = of_flax(theirs, x, of_kernels, renamed)
        assert_twins(values, ours, renamed)
        wanted = model(torch.from_numpy(x.transpose(0, 3, 1, 2))).detach().numpy().transpose(0, 2, 3, 1)
        assert np.allclose(theirs.apply(parameters, x), wanted, atol=1e-5)

    def test_a_cnn_of_keras(self):
        model, renamed = self.cnn(), twins([("first", "0"), ("second", "2")])
        convolution = keras.layers.Conv2D
        layers = [convolution(8, (3, 2), activation="relu", name="first"), convolution(4, 1, name="second")]
        ours, x = of_torch(model, of_weights), np.linspace(-1, 1, 2 * 7 * 5 * 3, dtype=np.float32).reshape(2, 7, 5, 3)
        theirs = keras.Sequential(layers)
        theirs.build((None, 7, 5, 3))
        assert_twins(of_keras(layers, of_kernels, renamed), ours, renamed)
        wanted = model(torch.from_numpy(x.transpose(0, 3, 1, 2))).detach().numpy().transpose(0, 2, 3, 1)
        assert np.allclose(np.asarray(theirs(x)), wanted, atol=1e-5)


class TestLstm:
    """torch and Keras hold the gates together, each in its own order of axes; Flax has a kernel for each."""

    SIZE, HIDDEN = 5, 7
    X = np.linspace(-1, 1, 2 * 4 * SIZE, dtype=np.float32).reshape(2, 4, SIZE)

    @staticmethod
    def gates(side):
        scheme = XAVIER if side == "i" else ORTHOGONAL
        return schemes.concatenate([scheme] * 4, names=[f"{side}{gate}.weight" for gate in GATES])

    def of_torch(self, name, shape):
        if name.startswith("bias"):
            kept = name == "bias_hh_l0"  # one of the two
            return schemes.lstm_bias() if kept else schemes.zeros()
        return self.gates("i" if name == "weight_ih_l0" else "h")

    def of_keras(self, name, shape):
        if name.endswith("bias"):
            return schemes.lstm_bias()
        return schemes.transpose(self.gates("h" if "recurrent" in name else "i"))

    def of_flax(self, name, shape):
        layer, kind = name.split("/")[-2:]
        if kind == "bias":
            return FORGET.get(layer[1], schemes.zeros())
        return schemes.transpose(XAVIER if layer[0] == "i" else ORTHOGONAL)

    @pytest.fixture
    def model(self):
        return torch.nn.LSTM(self.SIZE, self.HIDDEN, batch_first=True)

    def test_of_keras(self, model):
        ours = of_torch(model, self.of_torch)
        layer = keras.layers.LSTM(self.HIDDEN, return_sequences=True, name="lstm")
        layer.build(self.X.shape)
        variables = {each.name: each for each in layer.weights}
        values = drawn({name: tuple(each.shape) for name, each in variables.items()}, self.of_keras)
        assert same(values["kernel"].T, ours["weight_ih_l0"])
        assert same(values["recurrent_kernel"].T, ours["weight_hh_l0"])
        for name, each in variables.items():
            each.assign(values[name])
        wanted = model(torch.from_numpy(self.X))[0].detach().numpy()
        assert np.allclose(np.asarray(layer(self.X)), wanted, atol=1e-5)

    def test_of_flax(self, model):
        ours = of_torch(model, self.of_torch)
        theirs = linen.RNN(linen.OptimizedLSTMCell(self.HIDDEN), name="lstm")
        sides = [f"{side}{gate}" for side in "ih" for gate in GATES]
        values, parameters = of_flax(
            theirs, self.X, self.of_flax, lambda name: f"{name.split('/')[-2]}.weight" if "kernel" in name else name
        )
        kernels = {name.split("/")[-2]: value for name, value in values.items() if name.endswith("kernel")}
        assert sorted(kernels) == sorted(sides)
        for side in "ih":
            fused = np.concatenate([kernels[side + gate].T for gate in GATES])
            assert same(fused, ours[f"weight_{side}h_l0"])
        wanted = model(torch.from_numpy(self.X))[0].detach().numpy()
        assert np.allclose(theirs.apply(parameters, self.X), wanted, atol=1e-5)


def test_attention_of_llama_fused_as_vllm_and_separate():
    """GPT-NeoX's fused weight takes turns by heads; GPT-2's is one block after the other, and transposed."""
    heads, size, inputs = 4, 8, 32
    names = [f"attn.{each}.weight" for each in "qkv"]
    q, k, v = (XAVIER((heads * size, inputs), seed=3, name=name) for name in names)
    turns = schemes.concatenate([XAVIER] * 3, names=names, groups=heads)((3 * heads * size, inputs), seed=3, name="w")
    split = torch.from_numpy(turns).view(heads, 3, size, inputs)
    assert all(torch.equal(split[:, n].reshape(-1, inputs), torch.from_numpy(each)) for n, each in enumerate((q, k, v)))
    block = schemes.transpose(schemes.concatenate([XAVIER] * 3, names=names))
    conv1d = block((inputs, 3 * heads * size), seed=3, name="c_attn.weight")
    assert same(conv1d.T, np.concatenate([q, k, v]))
    for each, wanted in zip(torch.from_numpy(conv1d).split(heads * size, dim=1), (q, k, v), strict=True):
        assert torch.equal(each.T, torch.from_numpy(wanted))


def test_a_scan_of_flax_beside_its_layers():
    """`linen.scan` stacks the parameters of layers along an axis."""
    scheme = schemes.lecun_normal(layout="IO")
    x = np.ones((2, 6), np.float32)

    class Layer(linen.Module):
        @linen.compact
        def __call__(self, carry, _):
            return linen.tanh(linen.Dense(6, use_bias=False, name="wi")(carry)), None

    for axis in (0, 1):
        scanned = linen.scan(Layer, variable_axes={"params": axis}, split_rngs={"params": True}, length=3)()
        shape = jax.eval_shape(scanned.init, jax.random.key(0), x, None)["params"]["wi"]["kernel"].shape
        stacked = schemes.stack(scheme, "layers.{}.wi", axis=axis)(shape, seed=3, name="wi/kernel")
        found, _ = scanned.apply({"params": {"wi": {"kernel": stacked}}}, x, None)
        wanted = x
        for number in range(3):
            wanted = np.tanh(wanted @ scheme((6, 6), seed=3, name=f"layers.{number}.wi"))
        assert np.allclose(found, wanted, atol=1e-6)
