"""The pictures: what is drawn of known numbers, that nothing covers it, and that broken networks have pictures too."""

import builtins
import math
import sys

import numpy as np
import pytest
from matplotlib import colors

from fanin import schemes
from fanin.diagnose import panels, plots
from fanin.diagnose.comparison import Comparison, Outcome
from fanin.diagnose.monitor import Monitor, Thresholds
from fanin.diagnose.panels import COLOURS
from fanin.diagnose.probe import probe
from fanin.diagnose.report import Report
from fanin.diagnose.stack import Stack
from fanin.diagnose.theory import MeanField, Prediction, critical_weight_variance

LAYERS = 6
PNG = b"\x89PNG"


def report(rms=1.0, gradient=1e-3, *, dead=0.0, kind="dense", predicted=True, singular_values=(2.0, 1.0, 0.5)):
    """A report with these values in every layer."""
    rms, gradient, dead = (np.broadcast_to(np.asarray(each, float), LAYERS) for each in (rms, gradient, dead))
    prediction = Prediction(np.full(LAYERS, 1.0), np.ones(LAYERS), np.full(LAYERS, 1.0), 0.0, 1.0, "critical")
    return Report(
        stack=Stack(weights=schemes.zeros(), kind=kind, depth=LAYERS, width=80),
        names=tuple(f"layers.{layer}" for layer in range(LAYERS)),
        mean=np.zeros(LAYERS),
        std=rms,
        rms=rms,
        dead=dead,
        saturated=np.zeros(LAYERS),
        gradient=gradient,
        weight_gradient=gradient,
        singular_values=np.array(singular_values),
        slope=0.125,
        interval=(-0.5, 0.75),
        prediction=prediction if predicted else None,
        loss=None,
        classes=10,
        symmetric=(),
    )


def compared(losses, accuracies, reports=((), ())):
    rows = [
        Outcome(
            name=name,
            rate=0.1,
            loss=float(np.mean(losses[place])),
            loss_error=0.1,
            accuracy=accuracy,
            accuracy_error=0.02,
            slope=0.0,
            slope_error=0.0,
            predicted=0.0,
            spread=1.0,
            diverged=0,
        )
        for place, (name, accuracy) in enumerate(zip(("first", "second"), accuracies, strict=True))
    ]
    return Comparison("the task", tuple(rows), reports, np.asarray(losses, float))


def measured(axes):
    """The lines with a name."""
    return {line.get_label(): line for line in axes.lines if not line.get_label().startswith("_")}


def ticklabels(axis):
    """Return the labels of the ticks within the limits; only these are drawn."""
    low, high = axis.get_view_interval()
    ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
    return [tick.label1 for tick in ticks if low <= tick.get_loc() <= high and tick.label1.get_text()]


def texts(figure):
    """All that is written on a drawn figure."""
    figure.draw_without_rendering()
    legends = [text for legend in figure.legends for text in (*legend.get_texts(), legend.get_title())]
    ticks = [label for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) for label in ticklabels(axis)]
    labels = [
        text for axes in figure.axes for text in (axes.xaxis.label, axes.yaxis.label, axes._left_title, *axes.texts)
    ]
    return [text for text in (*legends, *ticks, *labels) if text.get_visible() and text.get_text()]


PICTURES = {
    "layers": lambda **path: plots.layers({"He": report(), "Xavier": report(0.1)}, **path),
    "units": lambda **path: plots.units({"He": report(), "Xavier": report(dead=0.5)}, **path),
    "spectrum": lambda **path: plots.spectrum({"He": report(), "Xavier": report()}, **path),
    "updates": lambda **path: plots.updates({"w": [1e-2, 1e-3], "u": [1e-3, 1e-4]}, **path),
    "phase": lambda **path: plots.phase("tanh", (1.5, 0.05), **path),
    "comparison": lambda **path: plots.comparison(
        compared([[[2.0, 1.0]] * 2, [[3.0, 2.0]] * 2], (0.9, 0.5), ((report(),) * 2, (report(),) * 2)), **path
    ),
    "weights": lambda **path: plots.weights({"w": np.eye(8), "b": np.zeros(8)}, **path),
}


@pytest.mark.parametrize("draw", PICTURES.values(), ids=PICTURES)
class TestEveryPicture:
    def test_is_saved(self, draw, tmp_path):
        draw(path=tmp_path / "picture.png")
        assert (tmp_path / "picture.png").read_bytes().startswith(PNG)

    def test_is_as_wide_as_a_readme_in_letters_of_8_points_or_more(self, draw):
        figure = draw()
        assert figure.get_figwidth() == 8
        assert min(text.get_fontsize() for text in texts(figure)) >= 8

    def test_keeps_its_words_on_the_page_and_legends_off_the_axes(self, draw):
        figure = draw()
        page = figure.bbox
        for text in texts(figure):
            box = text.get_window_extent()
            assert page.x0 - 1 <= box.x0 < box.x1 <= page.x1 + 1, text.get_text()
            assert page.y0 - 1 <= box.y0 < box.y1 <= page.y1 + 1, text.get_text()
        for legend in figure.legends:
            for axes in figure.axes:
                assert not legend.get_window_extent().overlaps(axes.get_window_extent())

    def test_leaves_pyplot_alone(self, draw, monkeypatch):
        monkeypatch.delitem(sys.modules, "matplotlib.pyplot", raising=False)
        draw()
        assert "matplotlib.pyplot" not in sys.modules

    def test_says_what_to_install(self, draw, monkeypatch):
        def without(name, *arguments, **options):
            if name.startswith("matplotlib"):
                raise ModuleNotFoundError(f"No module named {name!r}")
            return original(name, *arguments, **options)

        original = builtins.__import__
        monkeypatch.setattr(builtins, "__import__", without)
        with pytest.raises(ImportError, match=r'pip install "fanin\[plot\]"'):
            draw()


def test_the_suffix_sets_the_format(tmp_path):
    PICTURES["units"](path=str(tmp_path / "picture.svg"))
    assert "<svg" in (tmp_path / "picture.svg").read_text("utf-8")


def test_no_folders_are_created(tmp_path):
    with pytest.raises(FileNotFoundError):
        PICTURES["units"](path=tmp_path / "no" / "picture.png")


class TestLayers:
    def test_draws_what_was_measured_on_logarithmic_axes(self):
        rms = np.geomspace(1, 1e-3, LAYERS)
        signals, gradients = plots.layers({"a": report(rms), "b": report(2.0, 5e-4)}).axes
        assert [axes.get_yscale() for axes in (signals, gradients)] == ["log", "log"]
        first, second = measured(signals).values()
        assert list(first.get_xdata()) == [1, 2, 3, 4, 5, 6]
        np.testing.assert_array_equal(first.get_ydata(), rms)
        assert set(second.get_ydata()) == {2.0}
        assert [set(line.get_ydata()) for line in measured(gradients).values()] == [{1e-3}, {5e-4}]

    def test_each_network_has_its_colour_marker_and_dashes_and_its_slope_in_the_legend(self):
        figure = plots.layers({"a": report(), "b": report()})
        first, second = measured(figure.axes[0]).values()
        for look in ("get_color", "get_marker", "get_linestyle"):
            assert getattr(first, look)() != getattr(second, look)()
        legend = [text.get_text() for text in figure.legends[0].get_texts()]
        assert legend[0] == "a, slope of log gradient² +0.125 a layer (95 %: −0.500 to +0.750)"
        assert legend[2].startswith("predicted")

    def test_predicted_gradients_start_from_the_last_measured_one(self):
        _, gradients = plots.layers(report(gradient=np.geomspace(1e-5, 1e-3, LAYERS))).axes
        (predicted,) = (line for line in gradients.lines if line.get_label().startswith("_"))
        np.testing.assert_allclose(predicted.get_ydata(), 1e-3)

    def test_the_band_is_that_of_networks_of_this_width(self):
        """Hanin and Nica (2018): log of the mean square has the variance 5·depth/width, here 5·6/80."""
        signals, gradients = plots.layers(report()).axes
        (band,) = signals.collections
        x, y = band.get_paths()[0].vertices.T
        assert math.log(y[x == LAYERS].max()) == pytest.approx(math.sqrt(5 * 6 / 80))
        assert math.log(y[x == LAYERS].min()) == pytest.approx(-math.sqrt(5 * 6 / 80))
        (band,) = gradients.collections
        x, y = band.get_paths()[0].vertices.T
        assert set(y[x == LAYERS]) == {1e-3}
        assert math.log(y[x == 1].max() / 1e-3) == pytest.approx(math.sqrt(5 * 5 / 80))

    def test_drawn_networks_stay_within_it(self):
        """Two standard deviations: 95 of 100 values at the last of 20 layers; at least 17 of 20, p = 0.016."""
        stack = Stack(weights=schemes.he_normal(layout="OI"), depth=20, width=50)
        inputs = np.random.default_rng(0).normal(size=(1, 50))
        reports = [probe(stack, inputs, seed=seed) for seed in range(20)]
        reach = math.sqrt(5 * 20 / 50)
        within = [abs(math.log(each.rms[-1] / each.prediction.signal[-1])) < reach for each in reports]
        assert sum(within) >= 17

    def test_what_is_flat_looks_flat(self):
        for axes in plots.layers(report(predicted=False)).axes:
            low, high = axes.get_ylim()
            assert high / low >= 99

    def test_a_single_layer_has_a_picture(self, tmp_path):
        stack = Stack(weights=schemes.he_normal(layout="OI"), depth=1, width=16)
        signals, _ = plots.layers(probe(stack, np.ones((4, 8))), path=tmp_path / "a.png").axes
        assert [len(line.get_xdata()) for line in measured(signals).values()] == [1]

    def test_without_a_prediction_there_is_no_word_of_one(self):
        figure = plots.layers(report(predicted=False, kind="lstm"))
        assert [text.get_text()[:8] for text in figure.legends[0].get_texts()] == ["measured"]
        assert figure.axes[0].get_xlabel() == "step"

    def test_networks_of_no_reports_are_refused(self):
        for draw in (plots.layers, plots.units, plots.spectrum):
            with pytest.raises(ValueError, match="reports must not be empty"):
                draw({})


class TestBrokenNetworks:
    """Warnings are errors: of overflow in a transform, of axes without a positive value, of means of nothing."""

    @pytest.mark.parametrize("gradient", [0.0, math.nan, math.inf, 1e-320, 1e300, [0, 1, math.inf, 1, math.nan, 0]])
    @pytest.mark.parametrize("draw", [plots.layers, plots.units, plots.spectrum])
    def test_have_pictures_whatever_was_measured(self, draw, gradient, tmp_path):
        values = np.broadcast_to(np.array(gradient, float), 6)
        draw({"a": report(gradient, gradient, dead=math.nan, singular_values=values)}, path=tmp_path / "a.png")
        assert (tmp_path / "a.png").read_bytes().startswith(PNG)

    @pytest.mark.parametrize(
        ("scheme", "kind"),
        [(schemes.zeros(), "dense"), (schemes.normal(std=1e3), "dense"), (schemes.normal(std=1e-9), "rnn")],
    )
    def test_that_were_probed_have_them_too(self, scheme, kind, tmp_path):
        shape = (8, 20, 16) if kind == "rnn" else (8, 16)
        stack = Stack(weights=scheme, kind=kind, depth=20, width=16)
        found = probe(stack, np.random.default_rng(0).normal(size=shape), np.arange(8))
        for draw in (plots.layers, plots.units, plots.spectrum):
            draw({"broken": found}, path=tmp_path / f"{draw.__name__}.png")
            assert (tmp_path / f"{draw.__name__}.png").read_bytes().startswith(PNG)

    def test_show_where_zeros_and_infinities_are(self):
        axes, _ = plots.layers(report([0, 0, 1, 1, math.inf, math.nan])).axes
        marks = {line.get_marker(): list(line.get_xdata()) for line in axes.lines if line.get_linestyle() == "None"}
        assert marks == {"v": [1, 2], "^": [5, 6]}
        assert axes.get_xlabel() == "layer (▽ zero, △ not finite)"

    def test_a_loss_that_diverges_leaves_through_the_top(self, tmp_path):
        losses = [[[2.0, 1.0, 0.5]] * 3, [[2.0, math.inf, math.inf]] * 3]
        broken = (report(gradient=math.nan),) * 3
        figure = plots.comparison(
            compared(losses, (0.9, math.nan), (broken, (report(),) * 3)), path=tmp_path / "diverged.png"
        )
        assert "not finite" in figure.axes[0].get_xlabel()
        assert figure.axes[0].get_ylim()[1] < 10

    def test_a_loss_that_explodes_leaves_the_others_their_room(self):
        losses = [[[2.0, 1.0, 0.5]], [[2.0, 1e9, 1e30]]]
        low, high = plots.comparison(compared(losses, (0.9, 0.1))).axes[0].get_ylim()
        assert high / low < 30

    def test_weights_that_are_not_finite_are_counted(self, tmp_path):
        weight = np.ones((4, 4))
        weight[0, :2] = math.nan, math.inf
        histogram, singular_values = plots.weights(weight, path=tmp_path / "w.png").axes
        assert histogram.get_title(loc="left").endswith("2 not finite")
        assert not singular_values.axison
        plots.weights({"all": np.full(3, math.nan), "zero": np.zeros((3, 2))}, path=tmp_path / "w.png")


class TestUnits:
    def test_a_row_for_each_network_and_two_bars_for_each_layer(self):
        figure = plots.units({"a": report(dead=np.arange(6) / 10), "b": report(dead=1.0)})
        assert [axes.get_title(loc="left") for axes in figure.axes] == ["a", "b"]
        heights = [bar.get_height() for bar in figure.axes[0].patches]
        np.testing.assert_allclose(heights, [0, 10, 20, 30, 40, 50] + [0] * 6)
        assert [text.get_text() for text in figure.legends[0].get_texts()] == ["dead", "saturated"]
        assert figure.axes[0].get_ylabel() == "% of units"


class TestSpectrum:
    def test_values_are_sorted_beside_a_line_at_1(self):
        (axes,) = plots.spectrum({"a": report(singular_values=(0.5, 2.0))}).axes
        (line,) = measured(axes).values()
        assert list(line.get_ydata()) == [2.0, 0.5]
        assert list(line.get_xdata()) == [0.25, 0.75]
        assert set(axes.lines[0].get_ydata()) == {1}
        assert axes.get_yscale() == "log"

    def test_rounding_is_left_out_and_said_to_be(self):
        (axes,) = plots.spectrum(report(singular_values=(10.0, 1.0, 1e-7, 1e-8))).axes
        ((label, line),) = measured(axes).items()
        assert list(line.get_ydata()) == [10, 1]
        assert label.endswith("(the rest is rounding)")


class TestUpdates:
    def test_traces_lie_between_the_alarms_about_a_line(self):
        (axes,) = plots.updates({"w": [1e-2, 1e-3, 1e-4]}).axes
        assert list(measured(axes)["w"].get_ydata()) == [1e-2, 1e-3, 1e-4]
        assert axes.get_ylim() == pytest.approx((1e-9, 100))
        assert [text.get_text() for text in axes.texts] == ["alarm: too small", "alarm: too large"]
        assert 1e-3 in [line.get_ydata()[0] for line in axes.lines]
        assert "$\\mathdefault{10^{-3}}$" in [label.get_text() for label in axes.get_yticklabels()]

    def test_what_a_monitor_recorded_is_read(self):
        monitor = Monitor()
        for step, update in ((0, 1e-3), (5, 1e-4)):
            monitor.record(step, "w", weights=np.ones((4, 4)), updates=np.full((4, 4), update))
            monitor.record(step, "layer", activations=np.ones((4, 4)))
        (axes,) = plots.updates(monitor.history, thresholds=monitor.thresholds).axes
        line = measured(axes)["w"]
        assert list(line.get_xdata()) == [0, 5]
        np.testing.assert_allclose(line.get_ydata(), [1e-3, 1e-4])
        assert list(measured(axes)) == ["w"]

    def test_alarms_that_are_off_are_not_drawn(self, tmp_path):
        off = Thresholds(smallest_update=0, largest_update=math.inf)
        (axes,) = plots.updates({"w": [1e-3]}, thresholds=off, path=tmp_path / "u.png").axes
        assert not axes.texts

    def test_many_weights_are_coloured_by_their_place(self, tmp_path):
        figure = plots.updates(
            {f"layers.{n}.weight": [1e-3, 1e-4 / (n + 1)] for n in range(30)}, path=tmp_path / "u.png"
        )
        axes, bar = figure.axes
        light = [sum(colors.to_rgb(line.get_color())) for line in measured(axes).values()]
        assert light == sorted(light)
        assert [label.get_text() for label in bar.get_yticklabels()] == ["layers.0.weight", "layers.29.weight"]
        assert not figure.legends

    @pytest.mark.parametrize("values", [[0.0, 0.0], [math.nan] * 2, [math.inf] * 2, [1e-3, math.nan], [1e-3]])
    def test_any_values_have_a_picture(self, values, tmp_path):
        (axes,) = plots.updates({"w": values}, path=tmp_path / "u.png").axes
        assert len(measured(axes)["w"].get_ydata()) == len(values)

    @pytest.mark.parametrize("nothing", [{}, [], {"w": []}, [{"step": 0, "name": "w", "weight_rms": 1.0}]])
    def test_no_traces_at_all_are_refused(self, nothing):
        with pytest.raises(ValueError, match="traces must have a step of a weight at least, got none"):
            plots.updates(nothing)


class TestPhase:
    def test_the_critical_line_is_theorys(self):
        """The line is where `critical_weight_variance` says, to a pixel; at σb² = 0.05 Schoenholz et al. have 1.763."""
        (axes,) = plots.phase("tanh").axes
        thick = (each for each in axes.collections if list(np.atleast_1d(each.get_linewidth())) == [2.0])
        x, y = np.array(
            sorted(point for each in thick for path in each.get_paths() for point in path.vertices.tolist())
        ).T
        assert np.interp(0.05, y, x) == pytest.approx(1.763, abs=0.02)
        assert np.interp(0.2, y, x) == pytest.approx(critical_weight_variance("tanh", 0.2), abs=0.02)

    def test_the_phases_are_named_where_they_are(self):
        (axes,) = plots.phase("linear").axes
        named = {text.get_text().split(":")[0]: text.get_position()[0] for text in axes.texts if ":" in text.get_text()}
        assert named["ordered"] < named["chaotic"]

    def test_the_point_says_what_theory_does(self):
        (axes,) = plots.phase("tanh", (2.5, 0.05)).axes
        star = next(line for line in axes.lines if line.get_marker() == "*")
        assert (star.get_xdata()[0], star.get_ydata()[0]) == (2.5, 0.05)
        field = MeanField("tanh", 2.5, 0.05)
        said = f"χ₁ = {field.chi:.3g}, chaotic\ntrainable depth 6 ξc = {field.trainable_depth:.2g}"
        assert axes.texts[-1].get_text() == said

    def test_a_stack_is_the_point_of_its_weights(self):
        stack = Stack(weights=schemes.he_normal(layout="OI"), kind="conv", width=32)
        (axes,) = plots.phase("relu", stack).axes
        star = next(line for line in axes.lines if line.get_marker() == "*")
        assert (star.get_xdata()[0], star.get_ydata()[0]) == pytest.approx((2.0, 0.0))
        assert axes.texts[-1].get_text() == "χ₁ = 1, critical\ntrainable at any depth"

    def test_a_point_far_out_is_in_the_picture(self, tmp_path):
        (axes,) = plots.phase("tanh", (9.0, 2.0), path=tmp_path / "p.png").axes
        assert axes.get_xlim()[1] > 9
        assert axes.get_ylim()[1] > 2

    @pytest.mark.parametrize("activation", [np.tanh, ("elu", 1.0), "linear"])
    def test_any_activation_has_a_picture(self, activation, tmp_path):
        (axes,) = plots.phase(activation, (0.0, 0.0), path=tmp_path / "p.png").axes
        assert axes.texts[-1].get_text().startswith("χ₁ = 0, ordered")

    @pytest.mark.parametrize("options", [{"norm": "batch"}, {"residual": True}])
    def test_stacks_that_have_no_phases_are_refused(self, options):
        with pytest.raises(ValueError, match="point must be a stack without norm and residual connections"):
            plots.phase("relu", Stack(weights=schemes.he_normal(layout="OI"), **options))


LOSSES = [[[2.0, 1.0], [2.2, 1.4], [2.1, 1.1]], [[3.0, 2.0], [3.0, 2.0], [3.0, 2.0]]]  # strategies, seeds, steps


class TestComparison:
    def test_median_and_range_over_seeds(self):
        figure = plots.comparison(compared(LOSSES, (0.9, 0.5)))
        loss, score = figure.axes
        line = measured(loss)["first"]
        np.testing.assert_allclose(line.get_ydata(), [2.1, 1.1])
        x, y = loss.collections[0].get_paths()[0].vertices.T
        np.testing.assert_allclose((y[x == 2].min(), y[x == 2].max()), (1.0, 1.4))
        assert loss.get_yscale() == "log"
        title = figure.legends[0].get_title().get_text()
        assert title == "the task\nlines: the median of the seeds; bands: from the lowest to the highest"
        assert [label.get_text() for label in score.get_yticklabels()] == ["first", "second"]

    def test_gradients_beside_them_where_they_were_probed(self):
        reports = tuple(tuple(report(gradient=scale * 1e-3) for scale in (1, 2, 4)) for _ in range(2))
        _, gradients, _ = plots.comparison(compared(LOSSES, (0.9, 0.5), reports)).axes
        np.testing.assert_allclose(measured(gradients)["second"].get_ydata(), 2e-3)
        assert gradients.get_xlabel() == "layer"

    def test_accuracy_with_its_error_or_the_loss_where_there_is_none(self):
        score = plots.comparison(compared(LOSSES, (0.9, 0.5))).axes[-1]
        assert score.get_xlabel() == "test accuracy, % ± standard error"
        assert [text.get_text() for text in score.texts] == ["90.0 ± 2.0 at rate 0.1", "50.0 ± 2.0 at rate 0.1"]
        (bar,) = score.containers[0].lines[2]
        np.testing.assert_allclose(bar.get_segments()[0][:, 0], [88, 92])
        score = plots.comparison(compared(LOSSES, (math.nan, math.nan))).axes[-1]
        assert score.get_xlabel() == "final loss ± standard error"

    def test_long_runs_are_smoothed_and_say_so(self):
        losses = np.tile([1.0, 3.0], (2, 1, 100))
        axes = plots.comparison(compared(losses, (0.9, 0.5))).axes[0]
        assert axes.get_ylabel() == "training loss, mean of 4 steps"
        assert set(measured(axes)["first"].get_ydata()) == {2.0}


def test_colours_are_told_apart_in_grey_too():
    """Neighbours in the order of use differ in luminance, or else in marker and dashes, which all of them do."""
    assert len(set(COLOURS)) == len(COLOURS) == 7
    styles = [line for line, _ in zip(panels.styles(), range(28), strict=False)]
    assert len({(style.color, style.marker, style.linestyle) for style in styles}) == 28
    assert len({style.marker for style in styles[:7]}) == 7
