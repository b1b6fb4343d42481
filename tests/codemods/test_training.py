"""Training code: text in, text out; and where nothing must happen, or a decline."""

from __future__ import annotations

import textwrap

import pytest

from tests.codemods.training_programs import PROGRAMS, Program
from tests.codemods.training_support import HEAD, draft, migrated, reasons

MODEL = """
def build_model():
    return keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="softmax")])


"""
LOGITS = MODEL.replace(', activation="softmax"', "")


def body(text: str, model: str = MODEL) -> str:
    """The migrated text of a function, without the model above it."""
    made = draft(HEAD + model + textwrap.dedent(text))
    assert made.declines == ()
    return made.text.strip("\n")


def why(text: str, model: str = MODEL) -> str:
    return reasons(model + textwrap.dedent(text))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.name)
def test_programs(program: Program, snapshot: object) -> None:
    made = draft(program.source)
    assert made.declines == ()
    assert "\n\n".join([*(helper.source for helper in made.helpers), made.text]) == snapshot


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.name)
def test_comments_and_docstrings_survive(program: Program) -> None:
    made = draft(program.source)
    for line in program.source.splitlines():
        if line.strip().startswith(("#", '"""')):
            assert line.strip() in made.text


def test_one_step_of_fit() -> None:
    assert body("""
        def train(model, x, y):
            # the usual loss
            model.compile("sgd", loss="sparse_categorical_crossentropy")
            model.fit(x, y, verbose=0)
    """) == textwrap.dedent("""
        def train(model, x, y):
            # the usual loss
            optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
            loader = make_loader(x, y, batch_size=32, shuffle=True)
            for epoch in range(1):
                logs = run_epoch(model, loader, optimizer)
    """).strip("\n")


def test_names_that_are_taken_are_left_alone() -> None:
    text = body("""
        def predict(model, x):
            return model.predict(x)

        def train(model, x, y, loader):
            model.compile("sgd", loss="sparse_categorical_crossentropy")
            history = model.fit(x, y, verbose=0)
            return history.history["loss"], loader
    """)
    assert "return predict_(model, x)" in text
    assert "train_loader = make_loader(x, y" in text
    assert 'return history["loss"], loader' in text


def test_saving_and_loading() -> None:
    assert body("""
        def save(model):
            model.compile("sgd", loss="mse")
            model.summary()
            model.save_weights("a.weights.h5")
            model.load_weights("a.weights.h5")
    """).splitlines()[2:] == [
        "    print(model)",
        '    torch.save(model.state_dict(), "a.pt")',
        '    model.load_state_dict(torch.load("a.pt", map_location=device))',
    ]


def test_build_says_nothing() -> None:
    text = """
        def show(model):
            model.compile("sgd", loss="mse")
            model.build({})
            model.summary()
    """
    assert body(text.format("(None, 12)")).splitlines()[2:] == ["    print(model)"]
    assert body(text.format("input_shape=(None, 12)")).splitlines()[2:] == ["    print(model)"]


def test_compiled_in_another_function() -> None:
    text = body("""
        def prepare(model, rate):
            model.compile(keras.optimizers.Adam(rate), loss="sparse_categorical_crossentropy")
            return model

        def train(model, x, y):
            return model.fit(x, y, epochs=2, verbose=0)
    """)
    assert "model.optimizer = torch.optim.Adam(model.parameters(), lr=rate, eps=1e-7)" in text
    assert "logs = run_epoch(model, loader, model.optimizer)" in text
    assert "return history" in text


def test_two_configurations_have_two_passes() -> None:
    made = draft(
        HEAD
        + LOGITS
        + textwrap.dedent("""
        def first(model, x, y):
            model.compile("sgd", loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
            model.fit(x, y, verbose=0)

        def second(model, x, y):
            model.compile("sgd", loss="mse")
            model.fit(x, y, verbose=0)
    """)
    )
    assert made.declines == ()
    assert {"run_epoch", "run_epoch_second"} <= {helper.name for helper in made.helpers}
    assert "run_epoch_second(model, loader, optimizer)" in made.text


def test_one_name_for_two_models_behind_a_loop() -> None:
    text = body("""
        def train(x, y):
            for row in x:
                print(row)
            model = build_model()
            model.compile("sgd", loss="mse")
            model.fit(x, y, verbose=0)
            model = build_model()
            model.compile("adam", loss="mse")
            model.fit(x, y, verbose=0)
    """)
    first, second = text.index("torch.optim.SGD"), text.index("torch.optim.Adam")
    fits = [text.index("run_epoch(model"), text.rindex("run_epoch(model")]
    assert first < fits[0] < second < fits[1]


COMPILED = """
        def compiled():
            model = build_model()
            model.compile("adam", loss="sparse_categorical_crossentropy")
            return model

"""


@pytest.mark.parametrize("binding", ["model = compiled()", "model, rest = compiled(), 1"])
def test_a_name_that_is_bound_again_has_not_the_compile_before(binding: str) -> None:
    text = migrated(
        MODEL
        + textwrap.dedent(
            COMPILED
            + f"""
        def train(x, y):
            model = build_model()
            model.compile("sgd", loss="mse")
            model.fit(x, y, verbose=0)
            {binding}
            model.fit(x, y, verbose=0)
        """
        )
    )
    last = text[text.rindex("run_epoch") :]
    assert "model.optimizer" in last.splitlines()[0]


def test_a_name_that_a_later_round_binds_is_not_certain() -> None:
    why_not = why("""
        def train(x, y):
            model = build_model()
            model.compile("sgd", loss="mse")
            for part in x:
                model.fit(part, y, verbose=0)
                model = other(model)
    """)
    assert "which `compile` it belongs to is not certain" in why_not


def test_which_compile_of_a_branch_was_run_is_not_known() -> None:
    assert "which `compile` it belongs to is not certain" in why("""
        def train(x, y, fast):
            model = build_model()
            model.compile("sgd", loss="mse")
            if fast:
                model.compile("adam", loss="mse")
            model.fit(x, y, verbose=0)
    """)


def test_two_optimizers_take_gradients_before_any_step() -> None:
    text = migrated("""
        class GAN:
            def __init__(self, g, d):
                self.g, self.d = g, d
                self.generator = g
                self.discriminator = d
                self.g_optimizer = tf.keras.optimizers.Adam(1e-4, beta_1=0.5)
                self.d_optimizer = tf.keras.optimizers.Adam(1e-4, beta_1=0.5)

            @tf.function
            def step(self, images, noise):
                with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
                    fake = self.generator(noise, training=True)
                    g_loss = self.discriminator(fake, training=True)
                    d_loss = self.discriminator(images, training=True) - g_loss
                g_grads = g_tape.gradient(g_loss, self.generator.trainable_variables)
                d_grads = d_tape.gradient(d_loss, self.discriminator.trainable_variables)
                self.g_optimizer.apply_gradients(zip(g_grads, self.generator.trainable_variables))
                self.d_optimizer.apply_gradients(zip(d_grads, self.discriminator.trainable_variables))
                return g_loss, d_loss
    """)
    assert text.index("torch.autograd.grad(d_loss") < text.index("self.g_optimizer.step()")
    assert "torch.autograd.grad(g_loss, list(self.generator.parameters()), retain_graph=True)" in text
    assert "return g_loss.detach(), d_loss.detach()" in text
    assert "tf." not in text


def test_callbacks_of_a_factory_are_lines_of_the_loop() -> None:
    text = body("""
        def stop_early(patience, monitor="loss"):
            return [keras.callbacks.EarlyStopping(monitor="loss", patience=patience)]

        def train(model, x, y, wait=2):
            model.compile("sgd", loss="sparse_categorical_crossentropy")
            model.fit(x, y, epochs=9, callbacks=stop_early(wait + 1), verbose=0)
    """)
    assert "def stop_early" not in text
    assert "elif wait_2 >= wait + 1 and epoch > 0:" in text


def test_a_loss_object_in_an_attribute() -> None:
    text = migrated("""
        class Trainer:
            def __init__(self, model):
                self.model = model
                self.loss = tf.keras.losses.MeanSquaredError()

            def compute(self, x, y):
                return self.loss(y, self.model(x, training=True))
    """)
    assert "self.loss = mean_squared_error" in text
    assert "def mean_squared_error(y_true, y_pred):" in text
    assert "self.model.train()" in text


def test_a_function_of_the_same_name_is_not_replaced() -> None:
    text = """
        def make_loader(path):
            return path

        def auc(a):
            return a

        def train(model, x, y):
            model.compile("sgd", loss="mse", metrics=[keras.metrics.AUC()])
            model.fit(x, y)
    """
    assert "the file has a `auc` of its own" in why(text, LOGITS.replace("Dense(3", "Dense(1"))
    assert "make_loader_(x, y" in draft(HEAD + LOGITS + textwrap.dedent(text)).text


def test_all_variables_of_a_model_are_its_parameters() -> None:
    text = body("""
        def train(x, y):
            model = build_model()
            optimizer = tf.keras.optimizers.SGD(0.1)
            for _ in range(3):
                with tf.GradientTape() as tape:
                    loss = tf.reduce_mean(tf.square(model(x) - y))
                grads = tape.gradient(loss, model.variables)
                optimizer.apply_gradients(grads_and_vars=zip(grads, model.variables))
    """)
    assert "optimizer = torch.optim.SGD(model.parameters(), lr=0.1)" in text
    assert text.index("optimizer.zero_grad()") < text.index("loss.backward()") < text.index("optimizer.step()")


def test_a_tape_that_is_used_otherwise_is_declined() -> None:
    text = """
        def step(model, optimizer, x):
            with tf.GradientTape() as tape:
                loss = model(x, training=True)
            log(tape)
            grads = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(grads, model.trainable_variables))
    """
    assert "used for more than gradients" in reasons(text)


def test_a_variable_that_is_not_trained_has_no_gradient() -> None:
    text = """
        v = tf.Variable(2.0, trainable=False)
        with tf.GradientTape() as tape:
            y = v * 3.0
        print(tape.gradient(y, v))
    """
    assert "not trained" in reasons(text)


def test_a_tape_on_inputs() -> None:
    text = migrated("""
        def sensitivity(model, x):
            with tf.GradientTape() as tape:
                tape.watch(x)
                scores = model(x, training=False)
            return tape.gradient(scores, x)
    """)
    assert "x = x.clone().requires_grad_()" in text
    assert "model.eval()" in text
    assert "return torch.autograd.grad(scores.sum(), x, create_graph=True)[0]" in text


TWO_HEADS = """
def build_model():
    x = keras.Input((4,), name="rows")
    return keras.Model(x, [layers.Dense(2, name="a")(x), layers.Dense(1, name="b")(x)])


"""


@pytest.mark.parametrize(
    ("compiled", "reason"),
    [
        ("loss=['mse']", "not as many losses"),
        ("loss={'a': 'mse'}", "not those of the model's outputs"),
        ("loss={'a': 'mse', 'c': 'mse'}", "not those of the model's outputs"),
        ("loss={'a': 'mse', 'b': None}", "not those of the model's outputs"),
        ("loss=['mse', None]", "an output without a loss"),
        ("loss='mse', loss_weights=[1.0, 2.0]", "in another form than the losses"),
        ("loss=['mse', 'mae'], loss_weights={'a': 1.0, 'b': 2.0}", "in another form than the losses"),
        ("loss=['mse', 'mae'], loss_weights=[1.0]", "not as many weights"),
        ("loss=['mse', 'mae'], loss_weights=[1.0, x]", "not a constant"),
        ("loss='mse', metrics=['mae']", "not as many metrics"),
        ("loss='mse', metrics={'c': 'mae'}", "not those of the model's outputs"),
        ("loss='mse', metrics={'b': [keras.metrics.AUC()]}", "of a model with several outputs"),
        ("loss='mse', weighted_metrics=['mae', 'mae']", "weighted metrics"),
        ("loss='mse', run_eagerly=x", "not a constant"),
    ],
)
def test_several_outputs_that_are_declined(compiled: str, reason: str) -> None:
    assert reason in why(f"def train(model, x):\n    model.compile('sgd', {compiled})\n", TWO_HEADS)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("x, y", "in a list or by name is not known"),
        ("x, [x]", "not as many targets"),
        ("[x, x], [x, y]", "several inputs"),
        ("x, {'a': x}", "not those of the model"),
        ("x, {'a': x, **y}", "by names that are not known"),
        ("x, [x, *y]", "not as many targets"),
        ("x", "how batches hold"),
        ("x, [x, y], class_weight={0: 2.0}", "class_weight of a model with several outputs"),
        ("x, [x, y], sample_weight=y", "weights on a loss"),
    ],
)
def test_data_of_several_outputs_that_are_declined(given: str, reason: str) -> None:
    text = f"def train(model, x, y):\n    model.compile('sgd', loss='mse')\n    model.fit({given})\n"
    assert reason in why(text, TWO_HEADS)


def test_outputs_without_names_are_declined() -> None:
    text = "def train(model, x):\n    model.compile('sgd', loss='mse')\n"
    assert "a name of its own" in why(text, TWO_HEADS.replace(', name="a"', ""))
    assert "a name of its own" in why(text, TWO_HEADS.replace('name="b"', 'name="a"'))


@pytest.mark.parametrize("more", ["losses['a'] = 'mae'", "losses.pop('b')", "losses = {'a': 'mae', 'b': 'mae'}"])
def test_losses_that_are_changed_are_declined(more: str) -> None:
    text = "losses = {{'a': 'mse', 'b': 'mse'}}\n{}\n\n\ndef train(model, x):\n    model.compile('sgd', loss=losses)\n"
    assert why(text.format(more), TWO_HEADS)
    assert not why(text.format("x = losses"), TWO_HEADS)


def test_lists_and_callbacks_that_only_training_reads_are_told() -> None:
    made = draft(
        HEAD
        + LOGITS
        + textwrap.dedent("""
        METRICS = ["accuracy", keras.metrics.SparseTopKCategoricalAccuracy(k=2)]
        stop = keras.callbacks.EarlyStopping(monitor="loss")
        loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        kept = [keras.metrics.Mean()]


        model = build_model()
        model.compile("sgd", loss=loss_fn, metrics=METRICS)
        model.fit(np.ones((8, 4)), np.ones(8), callbacks=[stop])
        print(kept)
    """)
    )
    assert {c.qualname for c in made.changes if c.kind == "drops-tuning"} == {"m:METRICS", "m:stop", "m:loss_fn"}
    assert "METRICS" not in made.text
    assert "kept = [Mean()]" in made.text


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("model.fit_generator(batches, 4, 2)", "model.fit(batches, steps_per_epoch=4, epochs=2)"),
        ("z = model.evaluate_generator(batches, 4)", "z = model.evaluate(batches, steps=4, verbose=0)"),
        ("model.evaluate_generator(generator=batches, steps=3)", "model.evaluate(x=batches, steps=3, verbose=0)"),
        ("z = model.predict_generator(batches, 4, workers=2)", "z = model.predict(batches, steps=4)"),
    ],
)
def test_older_names_of_methods(older: str, newer: str) -> None:
    def text(call: str) -> str:
        return migrated(f"""
            def endless():
                while True:
                    yield np.ones((2, 4)), np.ones(2)


            model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
            batches = endless()
            model.compile("sgd", loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
            {call}
        """)

    assert text(older) == text(newer)


def test_class_weights_under_a_name_that_is_taken() -> None:
    text = body("""
        def train(model, x, y, class_weight, weight):
            model.compile("sgd", loss="sparse_categorical_crossentropy")
            model.fit(x, y, class_weight={0: weight}, verbose=0)
            return class_weight
    """)
    assert "class_weights = {0: weight}" in text
    assert "row_weights = torch.tensor([class_weights.get(int(label), 1.0) for label in y])" in text
    assert "make_loader(x, y, weight=row_weights" in text


def test_class_weights_of_one_hot_targets() -> None:
    text = body("""
        def train(model, x, y):
            model.compile("sgd", loss="categorical_crossentropy")
            model.fit(x, y, class_weight={0: 2.0}, verbose=0)
    """)
    assert "for label in y.argmax(axis=-1)]" in text


MSE = "model.compile('sgd', loss='mse')"
TWO_COMPILES = """if x is None:
        model.compile('sgd', loss='mse')
    else:
        model.compile('sgd', loss='mae')
    model.fit(x, y)"""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("model.compile('sgd', loss='mse', loss_weights=[1.0])", "loss_weights"),
        ("model.compile('sgd', loss=['mse', 'mae'])", "not known"),
        ("model.compile('muon', loss='mse')", "no rule for the optimizer"),
        ("model.compile('sgd', loss='mse', weighted_metrics=[keras.metrics.RootMeanSquaredError()])", "with weights"),
        (f"{MSE}\n    model.fit([x, x], y)", "several inputs"),
        (f"{MSE}\n    model.fit(x, y, validation_data=(x, y), validation_freq=[1, 2])", "a constant number apart"),
        (f"{MSE}\n    model.fit(x, y, callbacks=[keras.callbacks.CSVLogger('a', append=x is None)])", "may append"),
        (f"{MSE}\n    model.evaluate(x, y, callbacks=[keras.callbacks.CSVLogger('a')])", "a pass without training"),
        (f"{MSE}\n    model.predict(x, callbacks=[keras.callbacks.CSVLogger('a')])", "a pass without training"),
        (f"{MSE}\n    model.evaluate(x, sample_weight=y)", "made elsewhere"),
        (
            f"{MSE}\n    model.fit(x, y, class_weight={{0: 2.0}})\n"
            "    model.evaluate(tf.data.Dataset.from_tensor_slices((np.ones((4, 4)), np.ones((4, 3)))).batch(2))",
            "weights beside batches",
        ),
        (
            f"{MSE}\n    best = keras.callbacks.ModelCheckpoint('a.keras', save_best_only=True, save_freq=4)\n"
            "    model.fit(x, y, callbacks=[best])",
            "the best weights alone",
        ),
        (
            f"{MSE}\n    model.fit(x, y, callbacks=[keras.callbacks.LearningRateScheduler(unknown)])",
            "arguments are not known",
        ),
        (f"{MSE}\n    model.fit(x, y, callbacks=[keras.callbacks.EarlyStopping()])", "val_loss"),
        (f"{MSE}\n    z = [model.fit(x, y) for _ in range(2)]", "may not be evaluated"),
        (f"{MSE}\n    model.layers[0].trainable = False", "frozen"),
        (TWO_COMPILES, "not certain"),
        (f"{MSE}\n    return model.layers", "`layers` of a model"),
        ("model.fit(x, y)\n    model.compile('sgd', 'mse', metrics=[keras.metrics.F1Score()])", "no single number"),
    ],
    ids=lambda v: v.splitlines()[-1].strip()[:40],
)
def test_what_is_declined(text: str, reason: str) -> None:
    assert reason in why(f"def train(model, x, y):\n    {text}\n", LOGITS)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("optimizer = keras.optimizers.Adam(1e-3)", "which parameters"),
        (
            "def f(model, x, y):\n    model.compile('sgd', loss='mse')\n    model.fit(x, y)",
            "nothing is known of the model",
        ),
        ("m = keras.metrics.SparseTopKCategoricalAccuracy(k=1, from_sorted_ids=True)", "from_sorted_ids"),
    ],
    ids=lambda v: v.splitlines()[-1][:40],
)
def test_what_is_declined_without_a_model(text: str, reason: str) -> None:
    assert reason in reasons(text)


@pytest.mark.parametrize(
    "text",
    [
        "import re\npattern = re.compile('a')\n",
        "def f(estimator, x, y):\n    estimator.fit(x, y)\n    return estimator.predict(x)\n",
        "def f(history):\n    return history.history\n",
        "class Log:\n    def summary(self):\n        return 1\n\n\nprint(Log().summary())\n",
        "def f(x):\n    for a in x:\n        print(a)\n",
    ],
    ids=lambda v: v.splitlines()[-1],
)
def test_nothing_happens_to_other_code(text: str) -> None:
    made = draft(text)
    assert made.declines == ()
    assert made.text.strip() == "\n".join(line for line in text.splitlines() if line != "import re").strip()
    assert made.helpers == ()


def test_logging_callbacks() -> None:
    text = body("""
        def train(model, x, y, folder):
            model.compile("sgd", loss="sparse_categorical_crossentropy")
            callbacks = [keras.callbacks.TensorBoard(log_dir=folder), keras.callbacks.CSVLogger("log.csv"),
                         keras.callbacks.History()]
            model.fit(x, y, epochs=3, callbacks=callbacks, verbose=0)
    """)
    assert 'train_log = SummaryWriter(os.path.join(folder, "train"))' in text
    assert 'train_log.add_scalar(f"epoch_{name}", value, epoch)' in text
    assert 'with open("log.csv", "w" if epoch == 0 else "a", newline="") as log_file:' in text
    assert "callbacks" not in text


def test_rates_are_set_by_old_spellings() -> None:
    text = body("""
        def slower(model):
            keras.backend.set_value(model.optimizer.lr, keras.backend.get_value(model.optimizer.lr) * 0.5)

        def train(model, x, y):
            model.compile("sgd", loss="sparse_categorical_crossentropy")
            slower(model)
            model.optimizer.learning_rate = 0.5
    """)
    assert 'model.optimizer.param_groups[0]["lr"] = model.optimizer.param_groups[0]["lr"] * 0.5' in text
    assert 'model.optimizer.param_groups[0]["lr"] = 0.5' in text


@pytest.mark.parametrize(
    ("hook", "reason"),
    [
        ("def on_test_batch_end(self, batch, logs=None): pass", "runs within an epoch"),
        ("def on_epoch_end(self, epoch, logs=None): print(self.params)", "reads Keras's `params`"),
    ],
)
def test_callbacks_that_need_keras_are_declined(hook: str, reason: str) -> None:
    text = f"""
class Own(keras.callbacks.Callback):
    {hook}


def train(model, x, y):
    model.compile("sgd", loss="sparse_categorical_crossentropy")
    model.fit(x, y, callbacks=[Own()])
"""
    assert reason in why(text)


FREEZE = """
def tune(model, x, y):
    for layer in model.layers:
        {body}
    model.compile("sgd", loss="mse")
    model.fit(x, y)
"""


def test_frozen_normalisation_keeps_its_statistics() -> None:
    norm = MODEL.replace("layers.Dense(3", "layers.Dense(3), layers.BatchNormalization(), layers.Dense(3")
    made = draft(HEAD + norm + FREEZE.replace("{body}", FROZEN_NORM))
    assert made.declines == ()
    assert "if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)):" in made.text
    run_epoch = next(helper.source for helper in made.helpers if helper.name == "run_epoch")
    assert run_epoch.index("model.train(training)") < run_epoch.index("keep_frozen(model)")
    made = draft(HEAD + norm + FREEZE.replace("{body}", "layer.trainable = False"))
    assert "model.requires_grad_(False)" in made.text


FROZEN_NORM = """if isinstance(layer, layers.BatchNormalization):
            layer.trainable = False"""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("for layer in model.layers[:2]:\n        layer.trainable = False", "not compiled after it"),
        ("model.layers[0].trainable = False", "not compiled after it"),
        ("model.trainable = False", "not compiled after it"),
        ("model.trainable = True", "in this form"),
    ],
)
def test_other_freezing_is_declined(text: str, reason: str) -> None:
    assert reason in why(f"def tune():\n    model = build_model()\n    {text}\n", LOGITS)


def test_the_scope_of_a_strategy_goes() -> None:
    text = body("""
        strategy = tf.distribute.MirroredStrategy()
        BATCH = 8 * strategy.num_replicas_in_sync

        def train(x, y):
            # in one scope
            with strategy.scope():
                model = build_model()
                model.compile("sgd", loss="sparse_categorical_crossentropy")
            model.fit(x, y, batch_size=BATCH, verbose=0)
    """)
    assert "strategy" not in text
    assert "BATCH = 8 * 1" in text
    assert "    # in one scope\n    model = build_model()\n    optimizer = torch.optim.SGD" in text


STEPS = """
strategy = tf.distribute.MirroredStrategy()
BATCH = 8 * strategy.num_replicas_in_sync

def double(x):
    return x * 2.0

def step(x):
    {body}
"""


def test_what_a_strategy_runs_is_called() -> None:
    text = body(STEPS.format(body="return strategy.reduce('SUM', strategy.run(double, args=(x,)), axis=None)"))
    assert "strategy" not in text
    assert "return double(x)" in text


@pytest.mark.parametrize(
    "line",
    [
        "return strategy.run(double, kwargs={'x': x})",
        "return strategy.gather(x, axis=0)",
        "return strategy.reduce(x, x, axis=None)",
        "return other(strategy)",
        "return strategy.extended.worker_devices",
    ],
)
def test_other_uses_of_a_strategy_are_declined(line: str) -> None:
    assert why(STEPS.format(body=line))


def test_a_strategy_of_several_devices_is_declined() -> None:
    told = STEPS.replace("MirroredStrategy()", "MirroredStrategy(['GPU:0', 'GPU:1'])")
    assert why(told.format(body="return strategy.run(double, args=(x,))"))


OWN_LOSS = """
class Own(keras.losses.Loss):
    def __init__(self, **kwargs):
        super().__init__({arguments})

    def call(self, y_true, y_pred):
        return tf.reduce_mean(tf.abs(y_true - y_pred), axis=-1)
"""


def test_what_a_loss_class_reduces_to() -> None:
    summed = migrated(OWN_LOSS.replace("{arguments}", 'name="own", reduction=tf.keras.losses.Reduction.SUM'))
    assert "return self.call(y_true.to(y_pred.dtype), y_pred).sum()" in summed
    rows = migrated(OWN_LOSS.replace("{arguments}", 'reduction="none"'))
    assert "return self.call(y_true.to(y_pred.dtype), y_pred)\n" in rows
    assert "super()" not in rows
    assert "has no rule" in reasons(OWN_LOSS.replace("{arguments}", "**dict(reduction='sum')"))
    assert "has no rule" in reasons(OWN_LOSS.replace("{arguments}", "reduction=kwargs['how']"))


def test_what_the_base_class_of_a_loss_takes_goes_where_nobody_gives_it() -> None:
    rest = OWN_LOSS.replace("{arguments}", "name='own', **kwargs") + CONFIG
    text = migrated(rest)
    assert "def __init__(self):" in text
    assert "config" not in text
    assert "only Keras's base class takes" in reasons(rest + "\n\nloss = Own(reduction='sum')\n")
    assert "`get_config` of Keras's base class" in reasons(rest + "\n\nprint(Own().get_config())\n")


CONFIG = """
    def get_config(self):
        return {**super().get_config(), "own": 1}
"""


def test_a_schedule_that_is_made_in_place_gets_a_name() -> None:
    text = """
class Rate(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        return 1.0 / (step + 1.0)


def train(model, x, y):
    model.compile(keras.optimizers.SGD(Rate()), loss="mse")
    model.fit(x, y)
"""
    made = body(text, LOGITS)
    assert "schedule = Rate()\n" in made
    assert "LambdaLR(optimizer, lambda step: float(schedule(step)))" in made
    assert "has no name" in why(text + "\n\nschedule = 1\n", LOGITS)


def test_a_spread_that_only_the_run_knows_is_written_out() -> None:
    text = migrated("""
        def noise(shape, mean, stddev):
            return tf.random.normal(shape, mean, stddev), tf.random.normal(shape, 0.0, stddev)
    """)
    assert "return torch.randn(shape) * stddev + mean, torch.randn(shape) * stddev\n" in text


SCALED = """
def train(model, x, y):
    model.compile(keras.mixed_precision.LossScaleOptimizer(keras.optimizers.SGD(0.1){}), loss="mse")
    model.fit(x, y)
"""


def test_a_scaled_loss_in_float32_is_the_loss() -> None:
    text = body(SCALED.format(", initial_scale=1024.0"), LOGITS)
    assert "optimizer = torch.optim.SGD(model.parameters(), lr=0.1)" in text
    assert "scale" not in text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (SCALED.format(", clipnorm=1.0"), "other arguments"),
        (SCALED.format("") + 'dtype = "mixed_float16"\n', "half precision"),
        (
            "optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1))\n\n\n"
            "def step(grads, variables):\n    optimizer.apply_gradients(zip(grads, variables))\n",
            "of which `compile` does not know",
        ),
    ],
)
def test_other_scaled_losses_are_declined(text: str, reason: str) -> None:
    assert reason in why(text, LOGITS)


def test_a_class_between_keeps_its_constructor() -> None:
    text = migrated("""
        class Base(keras.callbacks.Callback):
            def __init__(self):
                super().__init__()
                self.seen = []

        class Own(Base):
            def __init__(self):
                super().__init__()
                self.more = 1
    """)
    assert text.count("super().__init__()") == 1
    assert "class Base:" in text
    assert "class Own(Base):" in text


def test_what_the_base_class_does_is_declined() -> None:
    assert "`get_config` of Keras's base class" in reasons("""
        class Own(keras.losses.Loss):
            def call(self, y_true, y_pred):
                return tf.abs(y_true - y_pred)

            def options(self):
                return super().get_config()
    """)


LOADED = """
def build_model():
    return keras.Sequential([keras.Input(shape=(6,)), layers.Dense(1)])


def train(x, y):
    model = build_model()
    model.compile("sgd", loss="mse")
    model.fit(x, y)
    model.save("whole.keras")
    {}
"""


def test_a_loaded_model_is_made_again() -> None:
    text = body(LOADED.format('best = keras.models.load_model("whole.keras")\n    best.evaluate(x, y)'))
    assert "best = build_model()" in text
    assert 'best.load_state_dict(torch.load("whole.pt", map_location=device))' in text


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        ('best = keras.models.load_model("other.keras")', "not certain that this repository has saved it"),
        ('best = keras.models.load_model("whole.keras")\n    best.fit(x, y)', "may go on with a loaded model"),
        ('for _ in range(2):\n        model = keras.models.load_model("whole.keras")', "may go on with a loaded model"),
    ],
)
def test_files_of_unknown_models_and_further_training_are_declined(after: str, reason: str) -> None:
    assert reason in why(LOADED.format(after))


def test_a_checkpoint_of_something_unknown_is_declined() -> None:
    assert "is not known" in why("""
        def save(things, folder):
            tf.train.Checkpoint(things=things).save(folder)
    """)


def test_checkpoints_and_validation_come_every_few_epochs() -> None:
    text = body("""
        def train(model, x, y):
            model.compile("sgd", loss="sparse_categorical_crossentropy")
            best = keras.callbacks.ModelCheckpoint("a.keras", "loss", save_best_only=True, initial_value_threshold=0.5)
            often = keras.callbacks.ModelCheckpoint("b.weights.h5", save_weights_only=True, period=2)
            model.fit(x, y, epochs=4, validation_data=(x, y), validation_freq=3, callbacks=[best, often])
    """)
    assert "best_saved = 0.5\n" in text
    assert 'if (epoch + 1) % 2 == 0:\n            torch.save(model.state_dict(), "b.pt")' in text
    assert "if (epoch + 1) % 3 == 0:\n            logs |= " in text


def test_single_batches_are_passes_over_them() -> None:
    text = body("""
        def train(model, x, y):
            model.compile("sgd", loss="sparse_categorical_crossentropy")
            model.train_on_batch(x, y)
            return model.predict_on_batch(x)
    """)
    assert "run_epoch(model, make_loader(x, y, batch_size=len(x)), optimizer)" in text
    assert "return predict(model, x, batch_size=len(x))" in text


def test_a_batch_to_predict_gets_a_name() -> None:
    text = body("""
        def train(model, x, y):
            model.compile("sgd", loss="sparse_categorical_crossentropy")
            return model.predict_on_batch(x[:4])
    """)
    assert "inputs = x[:4]\n    return predict(model, inputs, batch_size=len(inputs))" in text
    assert "several inputs of one batch" in why("""
        def train(model, x, y):
            model.compile("sgd", loss="sparse_categorical_crossentropy")
            return model.predict_on_batch([x, x])
    """)


def test_running_figures_of_batches_are_declined() -> None:
    assert "averages over all batches so far" in why("""
        def train(model, x, y):
            model.compile("sgd", loss="sparse_categorical_crossentropy")
            return model.train_on_batch(x, y)
    """)


def test_a_try_without_handlers() -> None:
    text = body("""
        def train(model, x, path):
            try:
                model.save_weights(path)
            finally:
                print(model.predict(x))
    """)
    assert (
        "    try:\n        torch.save(model.state_dict(), path)\n    finally:\n        print(predict(model, x))" in text
    )
